/**
 * Prints how long a pod takes from its creation to its application's first line, with and without podsecrets: medians of
 * rounds in each of which every form starts once. Nothing is asserted: a person reads the figures, on a quiet machine.
 * With --record it writes the medians into start-times.json, for the README.
 */

import type { KubeObject } from './api.ts';
import { appContainer, secretFile, secretProviderClass, shopPod } from './manifests.ts';
import { recordStartTimes, type StartTimes } from './recorded-start-times.ts';
import { openScene, type Scene } from './scene.ts';

const ROUNDS = 9;

const scene = await openScene();
const config = secretProviderClass([secretFile(await scene.putSecret('db', 'x'), 'db')]);
const forms: Readonly<Record<string, (pod: KubeObject) => readonly KubeObject[]>> = {
  'without podsecrets': (pod) => [pod],
  'podsecrets init': (pod) => scene.inject(pod, config, ['--as=init']),
  'podsecrets sidecar': (pod) => scene.inject(pod, config),
  'podsecrets init+sidecar': (pod) => scene.inject(pod, config, ['--as=init+sidecar']),
};

/** The application ends at once when its pod is deleted, so that no round disturbs the next one. */
const script = 'trap "exit 0" TERM; echo started; sleep 3600 & wait';

const times = new Map(Object.keys(forms).map((form): [string, number[]] => [form, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [form, add] of Object.entries(forms)) times.get(form)?.push(await startTime(scene, add));
}
await scene.close();

process.stdout.write(
  `\nfrom a pod's creation to its application's first line, medians of ${ROUNDS} rounds:\n`,
);
const medians: StartTimes = Object.fromEntries([...times].map(([form, seconds]) => [form, median(seconds)]));
if (process.argv.includes('--record')) recordStartTimes(medians);
const [plain = []] = times.values();
for (const [form, seconds] of times) {
  const more = median(seconds.map((value, round) => value - (plain[round] ?? Number.NaN)));
  process.stdout.write(`  ${form.padEnd(23)} ${median(seconds).toFixed(2)} s (+${more.toFixed(2)})\n`);
}

async function startTime(
  { namespace, api, apply, until, kubectl }: Scene,
  add: (pod: KubeObject) => readonly KubeObject[],
): Promise<number> {
  const objects = add(shopPod(appContainer({ command: ['sh', '-c', script] })));
  const others = objects.filter(({ kind }) => kind !== 'Pod');
  if (others.length > 0) await apply(others);

  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const start = Date.now();
  await api.call(
    'POST',
    pods,
    objects.find(({ kind }) => kind === 'Pod'),
  );
  const path = `${pods}/shop/log?container=app&timestamps=true`;
  const line = await until(
    'the first line',
    async () => (await api.call<string>('GET', path).catch(() => '')) || undefined,
    60,
  );
  kubectl(['delete', 'pod', 'shop']);
  // The runtime's own time of the line: how often this process looks plays no part.
  return (Date.parse(line.split(' ')[0] ?? '') - start) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
