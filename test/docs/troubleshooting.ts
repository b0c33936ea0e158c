/** Troubleshooting by error code: what each code means and what to do. The compiler rejects a code without an entry. */

import { exitCodes, type ProblemCode, problemCodes, type Stage } from '../../src/core/problem.ts';
import { code, table } from './markdown.ts';

/** A table for each stage, in the order of the stages. */
export function troubleshooting(): string {
  return Object.keys(exitCodes)
    .filter((name): name is Stage => name !== 'done' && name !== 'bug')
    .map((stage) => {
      const codes = problemCodes.filter((one) => one.startsWith(`${stage}.`));
      const rows = codes.map((one) => [code(one), ...advice[one]]);
      return `### ${stage}, exit code ${exitCodes[stage]}\n\n${table(['code', 'what it means', 'what to do'], rows)}`;
    })
    .join('\n\n');
}

const advice: Readonly<Record<ProblemCode, readonly [means: string, action: string]>> = {
  'usage.flag': [
    'a flag is unknown, or belongs to another command',
    'use the flag that the message suggests; `podsecrets COMMAND --help` lists the flags of a command',
  ],
  'usage.value': [
    'a flag or a `PODSECRETS_` variable has a value of the wrong form, or two options exclude each other',
    'correct the value; the message has the expected form',
  ],
  'usage.environment': [
    'a variable of the AWS SDK or a proxy variable has a value that cannot be used',
    "correct or remove the variable in the container's `env`",
  ],
  'usage.command': [
    'the command is unknown, has an unexpected argument, or cannot run here',
    'see `podsecrets --help`',
  ],

  'config.file': [
    'the file does not exist, cannot be read, or is not UTF-8',
    "check `--config` and the mount of the ConfigMap; the key of the ConfigMap is the file's name",
  ],
  'config.yaml': [
    'the file, or the text in `objects`, is not YAML',
    'correct the line that the message names; `podsecrets check FILE` runs offline',
  ],
  'config.document': [
    'the file has no SecretProviderClass, more than one document, or is too large',
    'put one SecretProviderClass in the file',
  ],
  'config.provider': ['`spec.provider` is not `aws`', 'use a SecretProviderClass of the AWS provider'],
  'config.parameter': [
    'a key of `spec.parameters` has a value that cannot be used',
    'correct the value; [the config](config.md) lists the keys',
  ],
  'config.region': [
    'no region, an invalid region, or a failover region equal to the region',
    'set `region` in `spec.parameters`, or `AWS_REGION`',
  ],
  'config.objects': [
    'there is no object to fetch, or `objects` is not a list',
    'list the objects under `spec.parameters.objects`',
  ],
  'config.object': [
    'an entry of `objects` is incomplete or contradicts itself',
    'correct the entry; the message has its index and line',
  ],
  'config.duplicate': [
    'a key, or a name and alias, occurs twice',
    'remove one, or give the entries different aliases',
  ],
  'config.path': [
    'two files have the same path, one lies below another, or a path leaves the directory',
    'give one of them another `objectAlias`',
  ],
  'config.jmesPath': [
    'an expression is not JMESPath, or a jmesPath entry is incomplete',
    'correct the expression; quote keys with special characters: `"a-b"`',
  ],
  'config.failover': [
    '`failoverRegion` or `failoverObject` is incomplete or does not fit the object',
    'a `failoverObject` needs `objectName`, and the object needs `objectAlias` and `failoverRegion`',
  ],
  'config.secretObjects': [
    'an entry of `secretObjects` cannot become a Kubernetes Secret',
    'correct the entry; its `objectName` is the path of a file of the same config',
  ],
  'config.unknownKey': [
    'a warning: an unknown key, which is ignored',
    'use the key that the message suggests, or remove it',
  ],

  'credentials.variables': [
    'the pod has no identity: EKS injected no variables',
    'create a Pod Identity association, or annotate the service account with a role, then recreate the pod: EKS injects variables only when a pod is created',
  ],
  'credentials.token': [
    'the service account token is missing, unreadable, expired, or not a token',
    'check that the volume with the token is mounted in this container; recreate the pod',
  ],
  'credentials.agent': [
    'the EKS Pod Identity agent returned an error, or did not respond',
    "the message has the agent's code: check the association, the role's trust policy and the add-on `eks-pod-identity-agent` on this node",
  ],
  'credentials.sts': [
    'STS rejected the service account token, or did not respond',
    "check the role's ARN, its trust policy (`sub`, `aud`) and the IAM OIDC provider of the cluster",
  ],
  'credentials.chain': [
    "the SDK's default chain found no credentials",
    'set `AWS_PROFILE` and mount `~/.aws`, or use `--auth pod-identity` or `--auth irsa`',
  ],
  'credentials.rejected': [
    'AWS does not accept the credentials',
    'renew them: `aws sso login`, new keys, or recreate the pod',
  ],
  'credentials.expired': [
    'the credentials expired and there are no new ones',
    'renew them: `aws sso login`, or check the agent or STS',
  ],
  'credentials.nodeRole': [
    'a warning: the pod uses the role of its node, because `--auth default` allows it',
    'give the pod an identity of its own and remove `--auth default`',
  ],

  'fetch.notFound': [
    'the secret, parameter, version or label does not exist in this region, or is scheduled for deletion',
    'check the name and the region; use `optional: true` for what may be missing',
  ],
  'fetch.denied': [
    'IAM or KMS does not allow the call',
    'add the action and the resource of the message to the role; `podsecrets doctor --policy` prints the whole policy',
  ],
  'fetch.client': [
    'AWS rejected the request for another reason',
    "the message has the AWS code; check the object's name and version",
  ],
  'fetch.throttled': [
    'AWS throttles the account',
    'podsecrets retries with backoff; raise `--interval`, or allow `secretsmanager:BatchGetSecretValue`',
  ],
  'fetch.server': [
    'AWS responded with a server error',
    'podsecrets retries; see the AWS Health Dashboard if it lasts',
  ],
  'fetch.network': [
    'no connection to AWS: DNS, route, proxy, TLS or timeout',
    'check security groups, VPC endpoints, `HTTPS_PROXY` and `NO_PROXY`; the message has the host',
  ],
  'fetch.response': [
    'the response is not what the service documents',
    'check `AWS_ENDPOINT_URL` and any proxy between the pod and AWS',
  ],
  'fetch.content': [
    'the value is there and is not what the config expects: not JSON, no such key, not base64',
    'correct the secret or the `jmesPath`, `expand` or `decode` of the object',
  ],

  'publish.filesystem': [
    'the directory is not on a tmpfs or ramfs',
    'use an `emptyDir` with `medium: Memory`; `--allow-disk` accepts a disk',
  ],
  'publish.directory': [
    'the directory does not exist, is a file, or holds names that podsecrets did not create',
    'give podsecrets a directory of its own with `--dir` or `--config FILE=DIR`',
  ],
  'publish.sticky': [
    'the directory is sticky, world-writable and owned by another user: with `fs.protected_symlinks=1` the application could not open the files',
    "publish to a directory below the volume's root, `/mnt/podsecrets/files`, and mount it with `subPath: files`",
  ],
  'publish.locked': [
    'another podsecrets publishes to the same directory',
    'give each its own directory; an old process may still be ending',
  ],
  'publish.write': [
    'the file system rejected a write: no space, read-only, or permission denied',
    'raise the `sizeLimit` of the volume, or check its owner and `readOnly`',
  ],
  'publish.space': [
    'the files take more than half of the volume: the old and the new ones do not fit together',
    'raise the `sizeLimit` of the volume to twice their size',
  ],

  'notify.signal': [
    'no process to signal, or podsecrets may not signal it',
    'set `shareProcessNamespace: true` and the same `runAsUser` for both containers; check the name or the pid file',
  ],
  'notify.exec': [
    'the hook could not start, timed out, or ended with an error',
    'run the command by hand in the container; the log has its last lines, redacted',
  ],
  'notify.url': [
    'the URL did not respond with 2xx within 10 s',
    'check that the application listens on it, on `localhost` of the pod',
  ],
  'notify.touch': [
    'the file could not be touched',
    'check that its directory exists and is writable for the user of podsecrets',
  ],

  'kubernetes.api': [
    'the API server did not respond, or is unreachable',
    'check that the service account token is mounted, and NetworkPolicies to the API server',
  ],
  'kubernetes.denied': [
    'RBAC does not allow the call',
    'apply the Role and RoleBinding that `podsecrets inject --sync-secrets` prints',
  ],
  'kubernetes.foreign': [
    'another manager owns the Secret',
    'choose another `secretName`, or delete the Secret',
  ],
  'kubernetes.content': [
    'the manifest or the Secret cannot work: Kubernetes rejects it, or the pod would fail',
    'correct what the message names',
  ],
  'kubernetes.version': [
    'the cluster is older than a feature that the config uses',
    'upgrade the cluster, or follow the remedy in the message',
  ],
  'sync.killed': [
    'the process that did the sync was killed, because it used too much memory or made no progress, or could not be started; the files stay as they are',
    'the message has the reason: raise the limit that it names, or correct the config that was edited last',
  ],

  'exec.notFound': [
    'the command after `--` is not a file, or not in a directory of its `PATH`; the exit code is 127',
    'write the full path; the message lists the directories',
  ],
  'exec.start': [
    'the kernel does not start the command: no permission, another format, a volume mounted `noexec`, or arguments and environment that are too long together',
    'the message has the reason; read large secrets as files with `--dir`',
  ],
};
