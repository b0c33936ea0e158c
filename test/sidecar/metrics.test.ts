import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createMetrics, exposition, metrics, sample, statusSamples } from '../../src/sidecar/metrics.ts';
import { exampleStatus } from '../support/status.ts';

const test = suite('the metrics page');

test('a metric has its help and type once, then a line for each set of labels', () => {
  const samples = [
    sample('podsecrets_syncs_total', { result: 'changed' }, 3),
    sample('podsecrets_ready', {}, 1),
    sample('podsecrets_syncs_total', { result: 'failed' }, 0),
  ];
  assert.is(
    exposition(samples),
    `# HELP podsecrets_ready ${metrics.podsecrets_ready.help}\n` +
      '# TYPE podsecrets_ready gauge\n' +
      'podsecrets_ready 1\n' +
      `# HELP podsecrets_syncs_total ${metrics.podsecrets_syncs_total.help}\n` +
      '# TYPE podsecrets_syncs_total counter\n' +
      'podsecrets_syncs_total{result="changed"} 3\n' +
      'podsecrets_syncs_total{result="failed"} 0\n',
  );
});

test('a label cannot end its line or its quotes', () => {
  const page = exposition([sample('podsecrets_build_info', { version: 'a"b\\c\nd' }, 1)]);
  assert.match(page, 'podsecrets_build_info{version="a\\"b\\\\c\\nd"} 1\n');
});

test('names and units follow the conventions of Prometheus', () => {
  for (const [name, { type, help, labels }] of Object.entries(metrics)) {
    assert.match(name, /^(podsecrets|process)_[a-z_]+$/);
    assert.is(name.endsWith('_total'), type === 'counter', `${name}: counters, and only they, end in _total`);
    if (/timestamp|time(?!stamp)/.test(name)) assert.match(name, /_seconds$/);
    assert.match(help, /^[^\\\n]+\.$|^[^\\\n]+$/, `${name}: one line that needs no escapes`);
    for (const label of labels) assert.match(label, /^[a-z]+$/);
  }
});

test('every line of a whole page can be parsed, and every metric of the table is on it', () => {
  const meters = createMetrics(['exec', 'url'], { restarts: true });
  meters.api.apiCall('ssm', 'GetParameters', 'eu-west-1', 'success');
  const page = meters.render(exampleStatus(), { residentMemory: 50_000_000, cpuTime: 0.25, droppedLines: 2 });
  assert.match(page, /\n$/);
  const seen = new Set<string>();
  for (const line of page.trimEnd().split('\n')) {
    if (line.startsWith('#')) continue;
    const match = /^([a-z_]+)(?:\{(?:[a-z]+="(?:[^"\\\n]|\\.)*",?)+\})? (-?\d+(?:\.\d+)?)$/.exec(line);
    assert.ok(match, line);
    assert.not(seen.has(line.split(' ')[0] ?? ''), `twice: ${line}`);
    seen.add(line.split(' ')[0] ?? '');
  }
  for (const name of Object.keys(metrics)) assert.match(page, `# TYPE ${name} `);
});

test('counters start at 0 and increase for each set of labels separately', () => {
  const meters = createMetrics(['touch']);
  const line = (start: string) => {
    const page = meters.render(exampleStatus(), { residentMemory: 1, cpuTime: 1, droppedLines: 0 });
    return page.split('\n').find((one) => one.startsWith(start));
  };
  assert.is(line('podsecrets_syncs_total{result="failed"}'), 'podsecrets_syncs_total{result="failed"} 0');
  assert.is(
    line('podsecrets_notifications_total{kind="touch",result="error"}'),
    'podsecrets_notifications_total{kind="touch",result="error"} 0',
  );
  meters.countSync('failed');
  meters.countSync('failed');
  meters.countReload('invalid');
  meters.countNotification('touch', 'success');
  for (const region of ['a', 'b', 'a']) meters.api.apiCall('ssm', 'GetParameters', region, 'throttled');
  assert.is(line('podsecrets_syncs_total{result="failed"}'), 'podsecrets_syncs_total{result="failed"} 2');
  assert.is(
    line('podsecrets_config_reloads_total{result="invalid"}'),
    'podsecrets_config_reloads_total{result="invalid"} 1',
  );
  assert.match(line('podsecrets_notifications_total{kind="touch",result="success"}') ?? '', / 1$/);
  const call =
    'podsecrets_api_calls_total{service="ssm",operation="GetParameters",region="a",result="throttled"}';
  assert.is(line(call), `${call} 2`);
});

test('a value that does not exist yet has no line', () => {
  const { nextSync, credentials, ...status } = exampleStatus();
  assert.ok(nextSync && credentials);
  const names = statusSamples({
    ...status,
    configs: status.configs.map(({ lastSuccess, lastChange, ...config }) => config),
    notifiers: status.notifiers.map(({ lastNotified, ...notifier }) => notifier),
  }).map(({ name }) => name);
  assert.equal(
    names.filter((name) => name.includes('timestamp')),
    [],
  );
  assert.ok(names.includes('podsecrets_files'));
});

test('times are seconds since 1970', () => {
  const at = statusSamples(exampleStatus()).find(
    ({ name }) => name === 'podsecrets_next_sync_timestamp_seconds',
  );
  assert.is(at?.value, Date.UTC(2026, 0, 1, 12, 10) / 1000);
});

test.run();
