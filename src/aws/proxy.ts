/**
 * Whether a request uses the proxy, by the rules of Go's `ProxyFromEnvironment`, which the AWS provider, the CSI driver and most
 * programs in a cluster follow: HTTPS_PROXY needs no scheme; a domain in NO_PROXY includes its subdomains; CIDR ranges, ports, `*`
 * and a leading dot are supported; loopback addresses never use a proxy.
 *
 * `proxy-from-env` (3 KiB, maintained) is not used, because its `NO_PROXY=amazonaws.com` matches that one host only, it treats CIDR
 * ranges as names, and it reads the process's variables. Node's own NO_PROXY supports neither CIDR ranges nor subdomains of a bare
 * domain.
 */

import { BlockList, isIP } from 'node:net';

/** The proxy's URL; undefined if the text is not a usable URL. A missing scheme means http. */
export function proxyUrl(text: string): URL | undefined {
  const url = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  return url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '' ? url : undefined;
}

/** `host:port`, without the password that the URL may contain. */
export function proxyAddress({ protocol, hostname, port }: URL): string {
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}

/** Whether requests to the host are sent without the proxy; `noProxy` is the value of NO_PROXY. */
export function bypassesProxy(noProxy: string | undefined, hostname: string, port: number): boolean {
  const host = hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
  if (host === 'localhost' || isLoopback(host)) return true;
  return (noProxy ?? '').split(',').some((entry) => matches(entry.trim().toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: number): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  const [range = '', prefix] = entry.split('/');
  if (prefix !== undefined) return isInRange(range, prefix, host);
  const { name, port: ownPort } = splitPort(entry);
  if (ownPort !== undefined && Number(ownPort) !== port) return false;
  if (isIP(name) !== 0 || isIP(host) !== 0) return sameAddress(name, host);
  const domain = name.replace(/^\*(?=\.)/, '');
  return host.endsWith(domain.startsWith('.') ? domain : `.${domain}`) || host === domain;
}

/** For `[::1]:443`, `host:443`, or a host without a port. An IPv6 address without brackets contains colons too. */
function splitPort(entry: string): { readonly name: string; readonly port: string | undefined } {
  const match = /^\[(.*)\](?::(\d+))?$/.exec(entry) ?? /^([^:]+)(?::(\d+))?$/.exec(entry);
  return { name: match?.[1] ?? entry, port: match?.[2] };
}

function isLoopback(host: string): boolean {
  return isInRange('127.0.0.0', '8', host) || isInRange('::1', '128', host);
}

function isInRange(network: string, prefix: string, host: string): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || !/^\d{1,3}$/.test(prefix)) return false;
  const length = Number(prefix);
  if (length > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(network, length, kind);
  return list.check(host, kind);
}

function sameAddress(a: string, b: string): boolean {
  return isIP(a) !== 0 && isInRange(a, isIP(a) === 4 ? '32' : '128', b);
}
