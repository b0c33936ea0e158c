/** The API server over HTTP. Polling with it costs no process, which kubectl would. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';

/** A Kubernetes object, as far as the tests look at it. */
export interface KubeObject {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface Api {
  /** Resolves with the body, an object or a text; undefined for 404. Rejects with the server's message otherwise. */
  readonly call: <T = KubeObject>(method: string, path: string, body?: unknown) => Promise<T | undefined>;
}

/** The API server of the run's own kubeconfig, which is JSON with one token. */
export function openApi(kubeconfig: string): Api {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    readonly clusters: readonly [{ readonly cluster: { readonly server: string } }];
    readonly users: readonly [{ readonly user: { readonly token: string } }];
  };
  const agent = new Agent({ keepAlive: true });
  return {
    async call(method, path, body) {
      const sent = request(new URL(path, clusters[0].cluster.server), {
        method,
        agent,
        rejectUnauthorized: false,
        headers: {
          authorization: `Bearer ${users[0].user.token}`,
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        },
      });
      sent.end(body === undefined ? undefined : JSON.stringify(body));
      const [response] = await once(sent, 'response');
      const result = await text(response);
      if (response.statusCode === 404) return undefined;
      if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${result}`);
      return /json/.test(response.headers['content-type'] ?? '') ? JSON.parse(result) : result;
    },
  };
}
