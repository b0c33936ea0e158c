/** The connections to AWS: directly or through a proxy, and by which authorities they trust the other side. */

import http from 'node:http';
import https from 'node:https';
import { createSecureContext, type SecureContext } from 'node:tls';
import { once } from '../core/once.ts';
import { type Authorities, isAmazonHost, trustByDefault } from '../http/authorities.ts';
import { caFileProblem, readCaFile } from '../http/ca-file.ts';
import { type ConnectEarly, openEarlyConnections } from '../http/early-connections.ts';
import { RequestError } from '../http/request.ts';
import { isTlsCode } from '../http/tls-code.ts';
import type { AwsEnvironment, CaBundle } from './environment.ts';
import { bypassesProxy, proxyAddress, proxyUrl } from './proxy.ts';

/** How a request is sent. */
export interface Route {
  readonly agent: http.Agent | https.Agent;
  /** `host:port` of the proxy. */
  readonly proxy?: string | undefined;
  /** Whether it trusts the authorities of Amazon only. */
  readonly trustsAmazon?: boolean;
}

export interface Routes {
  routeTo(protocol: 'http:' | 'https:', host: string, port: number): Route;
  /** Another route, after a request over `route` failed with this error; undefined if it would fail there too. */
  routeAfter(error: unknown, route: Route, host: string, port: number): Route | undefined;
  /** Only calls `begun` if a proxy is used, because a proxy needs a request to open a tunnel. */
  readonly connectEarly: ConnectEarly;
}

/** The agents of all connections that trust the same authorities. */
interface SecureAgents {
  readonly direct: () => { readonly agent: https.Agent; readonly connectEarly: ConnectEarly };
  readonly proxied: () => https.Agent;
}

/** Milliseconds that an idle connection is kept: longer than a sync, shorter than AWS keeps it. */
const IDLE_TIMEOUT = 5000;

const KEEP_ALIVE = { keepAlive: true, timeout: IDLE_TIMEOUT };

/**
 * Throws a Problem if the CA bundle cannot be used. Creates agents when they are first needed: one for https makes Node load TLS, which
 * takes 0.2 times its own start.
 */
export function createRoutes(
  { caBundle, httpsProxy, noProxy }: Pick<AwsEnvironment, 'caBundle' | 'httpsProxy' | 'noProxy'>,
  authorities: Authorities,
): Routes {
  const proxy = httpsProxy === undefined ? undefined : proxyUrl(httpsProxy);
  // An unusable file is reported now, not at the first request.
  const bundle = caBundle === undefined ? undefined : readBundle(caBundle);
  const trusting = (context: () => SecureContext): SecureAgents =>
    secureAgents(once(context), proxy, bundle === undefined ? [] : [bundle.pem]);
  const all = trusting(() => bundle?.context ?? createSecureContext({ ca: authorities.all() }));
  const amazonCas = once(() => authorities.amazon());
  const amazon = trusting(() => createSecureContext({ ca: amazonCas() }));
  const plain = once(() => new http.Agent(KEEP_ALIVE));
  let trustsAll = bundle !== undefined;
  const trustsAmazon = (host: string): boolean => !trustsAll && isAmazonHost(host) && amazonCas().length > 0;
  const isDirect = (host: string, port: number): boolean =>
    proxy === undefined || bypassesProxy(noProxy, host, port);
  const agentsFor = (host: string): SecureAgents => (trustsAmazon(host) ? amazon : all);
  const secureRoute = (host: string, port: number): Route => {
    const agents = agentsFor(host);
    const trust = { trustsAmazon: agents === amazon };
    return proxy === undefined || isDirect(host, port)
      ? { agent: agents.direct().agent, ...trust }
      : { agent: agents.proxied(), proxy: proxyAddress(proxy), ...trust };
  };
  return {
    routeTo: (protocol, host, port) => (protocol === 'http:' ? { agent: plain() } : secureRoute(host, port)),
    routeAfter(error, route, host, port) {
      if (!route.trustsAmazon || !(error instanceof RequestError) || !isTlsCode(error.code)) return undefined;
      // The certificate was accepted, and the request may have been sent.
      if (error.phase === 'response') return undefined;
      trustsAll = true;
      return secureRoute(host, port);
    },
    connectEarly(host, port, begun) {
      if (isDirect(host, port)) agentsFor(host).direct().connectEarly(host, port, begun);
      else begun();
    },
  };
}

/** `context`: one for all connections, because parsing the certificates costs milliseconds. `bundle`: authorities of a proxy, in PEM. */
function secureAgents(
  context: () => SecureContext,
  proxy: URL | undefined,
  bundle: readonly string[],
): SecureAgents {
  const open = (more: object): https.Agent =>
    new https.Agent({ ...KEEP_ALIVE, secureContext: context(), ...more });
  return {
    direct: once(() => {
      const agent = open({});
      return { agent, connectEarly: openEarlyConnections(agent) };
    }),
    proxied: once(() => {
      // Node connects to the proxy without the agent's context.
      if (proxy?.protocol === 'https:') trustByDefault(...bundle);
      return open({ proxyEnv: { HTTPS_PROXY: proxy?.href } });
    }),
  };
}

interface Bundle {
  readonly pem: string;
  readonly context: SecureContext;
}

function readBundle({ variable, file }: CaBundle): Bundle {
  const content = readCaFile(file);
  if ('found' in content) throw caFileProblem(variable, file, content.found);
  try {
    return { pem: content.pem, context: createSecureContext({ ca: content.pem }) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw caFileProblem(variable, file, code ?? message, error);
  }
}
