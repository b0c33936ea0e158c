/**
 * Pod Identity as on EKS, for service accounts with an association: a webhook that injects the variables and the token, and an agent
 * that exchanges the token for credentials.
 *
 * The association is an annotation of the service account here; its value names an identity of the fake AWS.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { selfSigned } from '../fake-aws/certificate.ts';
import type { FakeAwsProcess } from '../fake-aws/client.ts';
import type { Api } from './api.ts';
import { AGENT_ADDRESS } from './namespace.ts';

export const ASSOCIATION = 'podsecrets.test/identity';
export const REGION = 'eu-central-1';

const AUDIENCE = 'pods.eks.amazonaws.com';
const TOKEN_DIRECTORY = `/var/run/secrets/${AUDIENCE}/serviceaccount`;
const TOKEN_FILE = 'eks-pod-identity-token';
const PATH = '/v1/credentials';

/** Both listen until the process ends. */
export async function startIdentity(api: Api, aws: FakeAwsProcess): Promise<void> {
  const { key, cert } = selfSigned();
  const webhook = createTlsServer(
    { key, cert },
    respondingWith((body) => admit(api, aws.url, body)),
  );
  const port = await listening(webhook, 0, '127.0.0.1');
  await api.call('POST', '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', {
    metadata: { name: 'pod-identity' },
    webhooks: [
      {
        name: 'pod-identity.podsecrets.test',
        clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: Buffer.from(cert).toString('base64') },
        rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        // As EKS has it. The policy that adds podsecrets may run after the first call.
        reinvocationPolicy: 'IfNeeded',
      },
    ],
  });
  const agent = createServer((incoming, response) => void exchange(api, aws, incoming, response));
  await listening(agent, 80, AGENT_ADDRESS);
}

async function listening(server: Server, port: number, host: string): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function respondingWith(respond: (body: string) => Promise<unknown>) {
  return async (incoming: IncomingMessage, response: ServerResponse) => {
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify(await respond(await text(incoming))));
  };
}

interface Container {
  readonly env?: readonly { readonly name: string }[];
  readonly volumeMounts?: readonly { readonly name: string }[];
}

interface PodSpec {
  readonly serviceAccountName?: string;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly { readonly name: string }[];
}

/** An AdmissionReview in, one with a patch out. */
async function admit(api: Api, awsUrl: string, body: string): Promise<unknown> {
  const { request } = JSON.parse(body) as {
    readonly request: {
      readonly uid: string;
      readonly namespace: string;
      readonly object: { readonly spec: PodSpec };
    };
  };
  const { uid, namespace, object } = request;
  const identity = await associationOf(api, namespace, object.spec.serviceAccountName ?? 'default');
  const patch = identity === undefined ? [] : patchOf(object.spec, awsUrl);
  const response = {
    uid,
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
  };
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
}

/** Everything that EKS injects, and where AWS is. A container that has it already stays as it is. */
function patchOf(spec: PodSpec, awsUrl: string): readonly unknown[] {
  const env = Object.entries({
    AWS_STS_REGIONAL_ENDPOINTS: 'regional',
    AWS_DEFAULT_REGION: REGION,
    AWS_REGION: REGION,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${AGENT_ADDRESS}${PATH}`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: `${TOKEN_DIRECTORY}/${TOKEN_FILE}`,
    AWS_ENDPOINT_URL: awsUrl,
  }).map(([name, value]) => ({ name, value }));
  const mount = { name: TOKEN_FILE, mountPath: TOKEN_DIRECTORY, readOnly: true };
  const token = { audience: AUDIENCE, expirationSeconds: 86_400, path: TOKEN_FILE };
  const volume = { name: TOKEN_FILE, projected: { sources: [{ serviceAccountToken: token }] } };
  const withMount = (container: Container) => ({
    ...container,
    env: [
      ...(container.env ?? []),
      ...env.filter(({ name }) => !container.env?.some((one) => one.name === name)),
    ],
    volumeMounts: [...(container.volumeMounts ?? []).filter(({ name }) => name !== TOKEN_FILE), mount],
  });
  const value: PodSpec = {
    ...spec,
    ...(spec.initContainers && { initContainers: spec.initContainers.map(withMount) }),
    containers: spec.containers.map(withMount),
    volumes: [...(spec.volumes ?? []).filter(({ name }) => name !== TOKEN_FILE), volume],
  };
  return [{ op: 'replace', path: '/spec', value }];
}

async function associationOf(api: Api, namespace: string, name: string): Promise<string | undefined> {
  const account = await api.call('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`);
  return account?.metadata.annotations?.[ASSOCIATION];
}

/** The tokens that the agent has accepted, by identity. */
const tokens = new Map<string, string[]>();

/** The agent: a token of another audience or without an association is rejected, with the messages of the EKS agent. */
async function exchange(
  api: Api,
  aws: FakeAwsProcess,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const token = incoming.headers.authorization ?? '';
  const identity = await identityOf(api, token);
  if (identity === undefined) {
    const sentence = '(ResourceNotFoundException): No association found for the pod, fault: client';
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end(`[agent]: ${sentence}\n`);
    return;
  }
  const known = tokens.get(identity) ?? [];
  if (!known.includes(token)) {
    tokens.set(identity, [...known, token]);
    await aws.changeIdentity({ name: identity, podIdentityTokens: [...known, token] });
  }
  const forwarded = request(aws.agentUrl, { headers: { authorization: token } });
  forwarded.once('error', () => response.destroy());
  forwarded.once('response', (received) => {
    response.writeHead(received.statusCode ?? 500, received.headers);
    received.pipe(response);
  });
  forwarded.end();
}

async function identityOf(api: Api, token: string): Promise<string | undefined> {
  const review = await api.call<{ readonly status: { readonly user?: { readonly username?: string } } }>(
    'POST',
    '/apis/authentication.k8s.io/v1/tokenreviews',
    { spec: { token, audiences: [AUDIENCE] } },
  );
  const [, namespace, name] =
    /^system:serviceaccount:([^:]+):(.+)$/.exec(review?.status.user?.username ?? '') ?? [];
  return namespace && name ? associationOf(api, namespace, name) : undefined;
}
