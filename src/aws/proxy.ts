/**
 * Whether a request goes through a proxy, as Go's `ProxyFromEnvironment` decides it, which the AWS provider, the CSI driver and
 * most programs in a cluster go by: HTTPS_PROXY needs no scheme; a domain in NO_PROXY means its subdomains too; CIDR ranges,
 * ports, `*` and a leading dot are understood; loopback addresses never use a proxy.
 *
 * Not `proxy-from-env` (3 KiB, maintained): there `NO_PROXY=amazonaws.com` covers that one host only, CIDR ranges are names,
 * and it reads the process's own variables. Node's own NO_PROXY lacks CIDR and subdomains of a bare domain as well.
 */

import { BlockList, isIP } from 'node:net';

/** The proxy's URL; undefined when the text is none that can be used. A missing scheme means http. */
export function proxyUrl(text: string): URL | undefined {
  const url = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  return url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '' ? url : undefined;
}

/** Whether the host may be asked without the proxy, by the text of NO_PROXY. */
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
  const [, bracketed, name = bracketed ?? entry, entryPort] = splitPort(entry);
  if (entryPort !== undefined && Number(entryPort) !== port) return false;
  if (isIP(name) !== 0 || isIP(host) !== 0) return sameAddress(name, host);
  const domain = name.replace(/^\*(?=\.)/, '');
  return host.endsWith(domain.startsWith('.') ? domain : `.${domain}`) || host === domain;
}

/** `[::1]:443`, `host:443`, or neither: an IPv6 address has colons of its own. */
function splitPort(entry: string): readonly (string | undefined)[] {
  return /^\[(.*)\](?::(\d+))?$/.exec(entry)
    ? (/^\[(.*)\]()(?::(\d+))?$/.exec(entry) ?? []).map((part) => part || undefined)
    : (/^()([^:]+)(?::(\d+))?$/.exec(entry) ?? []).map((part) => part || undefined);
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
