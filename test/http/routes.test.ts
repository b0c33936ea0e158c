import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Endpoints, type HttpRequest, route } from '../../src/http/routes.ts';
import type { SidecarStatus } from '../../src/sidecar/status.ts';
import { exampleStatus } from '../support/status.ts';

const test = suite('routes');

function endpointsOf(
  status: SidecarStatus = exampleStatus(),
): Endpoints & { readonly refreshes: () => number } {
  let refreshes = 0;
  return {
    status: () => status,
    metrics: () => 'metrics 1\n',
    refresh: () => refreshes++,
    refreshes: () => refreshes,
  };
}

function request(method: string, target: string, rest: Partial<HttpRequest> = {}): HttpRequest {
  const here = { peer: '127.0.0.1', host: 'localhost:8181', origin: undefined, forwarded: false };
  return { method, target, ...here, ...rest };
}

test('serves each page for GET, for HEAD and with a query', () => {
  for (const [path, type, body] of [
    ['/livez', 'text/plain; charset=utf-8', /^ok\n$/],
    ['/readyz', 'text/plain; charset=utf-8', /^ok\n$/],
    ['/metrics', 'text/plain; version=0.0.4; charset=utf-8', /^metrics 1\n$/],
    ['/status', 'application/json', /^\{\n {2}"version": "1\.2\.3",[\s\S]*\}\n$/],
  ] as const) {
    const response = route(request('GET', path), endpointsOf());
    assert.is(response.status, 200);
    assert.is(response.headers['content-type'], type);
    assert.match(response.body, body);
    assert.equal(route(request('HEAD', path), endpointsOf()), response);
    assert.equal(route(request('GET', `${path}?a=b?c`), endpointsOf()), response);
  }
});

test('/status has all fields of the status', () => {
  assert.equal(JSON.parse(route(request('GET', '/status'), endpointsOf()).body), exampleStatus());
});

test('/readyz names the directory that is not ready, while /livez stays 200', () => {
  const { configs, ...rest } = exampleStatus();
  const status = { ...rest, ready: false, configs: configs.map((config) => ({ ...config, ready: false })) };
  const response = route(request('GET', '/readyz'), endpointsOf(status));
  assert.is(response.status, 503);
  assert.is(response.body, 'waiting for the first publish to /mnt/secrets-store\n');
  assert.is(route(request('GET', '/livez'), endpointsOf(status)).status, 200);
});

test('/readyz of exec without a directory names none', () => {
  const { configs, ...rest } = exampleStatus();
  const none = configs.map((config) => ({ ...config, ready: false, directory: '' }));
  const answer = route(request('GET', '/readyz'), endpointsOf({ ...rest, ready: false, configs: none }));
  assert.is(answer.body, 'waiting for the first publish\n');
});

test('any other path is 404 with a list of the paths', () => {
  for (const target of [
    '/',
    '',
    '*',
    '/livez/',
    '//livez',
    '/LIVEZ',
    '/toString',
    '/../status',
    'http://x/livez',
    '/st%61tus',
  ]) {
    const response = route(request('GET', target), endpointsOf());
    assert.is(response.status, 404, target);
    assert.match(response.body, '/livez, /readyz, /metrics, /status, /refresh');
  }
});

test('any other method is 405 with the allowed one', () => {
  for (const [method, path, allow] of [
    ['POST', '/livez', 'GET, HEAD'],
    ['DELETE', '/status', 'GET, HEAD'],
    ['OPTIONS', '/metrics', 'GET, HEAD'],
    ['GET', '/refresh', 'POST'],
    ['HEAD', '/refresh', 'POST'],
  ] as const) {
    const response = route(request(method, path), endpointsOf());
    assert.is(response.status, 405, `${method} ${path}`);
    assert.is(response.headers.allow, allow);
  }
});

for (const [name, rest] of [
  ['127.0.0.1', {}],
  ['127.8.9.10', { peer: '127.8.9.10' }],
  ['an IPv4 address inside IPv6', { peer: '::ffff:127.0.0.1', host: '127.0.0.1' }],
  ['IPv6', { peer: '::1', host: '[::1]:8181' }],
] as const) {
  test(`POST /refresh from ${name} triggers a sync`, () => {
    const endpoints = endpointsOf();
    assert.is(route(request('POST', '/refresh', rest), endpoints).status, 202);
    assert.is(endpoints.refreshes(), 1);
  });
}

for (const [name, rest] of [
  ['another pod', { peer: '10.0.0.7' }],
  ['another pod by IPv6', { peer: 'fd00::7' }],
  ['another pod inside IPv6', { peer: '::ffff:10.0.0.7' }],
  ['an address that only looks like loopback', { peer: '127.0.0.1.example' }],
  ['a closed connection', { peer: '' }],
  ['a web page whose name was made to resolve to us', { host: 'evil.example:8181' }],
  ['a web page that looks like loopback', { host: '127.0.0.1.evil.example' }],
  ['a form on a web page', { origin: 'https://evil.example' }],
  ['a sandboxed web page', { origin: 'null' }],
  ['who sends no Host', { host: undefined }],
  ['who comes by the proxy of a service mesh', { peer: '127.0.0.6', forwarded: true }],
] as const) {
  test(`POST /refresh from ${name} is rejected`, () => {
    const endpoints = endpointsOf();
    assert.is(route(request('POST', '/refresh', rest), endpoints).status, 403);
    assert.is(endpoints.refreshes(), 0);
  });
}

test.run();
