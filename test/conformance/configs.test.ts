/**
 * The plan of a config: the tables of configs/*.yaml, whose expected results follow the AWS provider's rules.
 *
 * Each entry names its rule. `files` are `<mode> <path> [<- expression]` and `reads` `<service> <region> <id> [version …]
 * [stage …]`; `rejected` is the subject of the first problem. With `deviation: true` the provider does something else, which
 * counts as a defect of it. The results of all entries without were confirmed with the Go libraries that the provider uses.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse, stringify } from 'yaml';
import { parsePlan } from '../../src/config/parse.ts';
import { type CheckReport, checkReport } from '../../src/config/report.ts';
import { run } from '../support/program.ts';
import { makeSandbox } from '../support/sandbox.ts';

interface Entry {
  readonly rule: string;
  readonly deviation?: true;
  /** AWS_REGION. */
  readonly environment?: string;
  /** Parameters in addition to `region: eu-west-1`. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly objects?: string;
  /** The whole text, instead of parameters and objects. */
  readonly document?: string;
  readonly files?: readonly string[];
  readonly reads?: readonly string[];
  readonly rejected?: string;
}

const folder = join(import.meta.dirname, 'configs');
const tables = readdirSync(folder).map((file) => ({
  file,
  entries: parse(readFileSync(join(folder, file), 'utf8')) as readonly Entry[],
}));

for (const { file, entries } of tables) {
  const check = suite(file);
  for (const entry of entries) {
    check(entry.rule, async () => {
      assert.equal(outcome(await report(entry)), expected(entry));
    });
  }
  check.run();
}

/** One in this many entries is checked by the program too. */
const SAMPLE = 19;

const program = suite('conformance of the program');
for (const entry of tables.flatMap(({ entries }) => entries).filter((_, index) => index % SAMPLE === 0)) {
  program(entry.rule, async () => {
    const box = makeSandbox();
    try {
      const config = box.write('config.yaml', document(entry));
      const env = entry.environment === undefined ? {} : { AWS_REGION: entry.environment };
      const ended = await run(['check', '--output', 'json', '--config', config], env);
      assert.equal(outcome(JSON.parse(ended.stdout)), expected(entry));
      assert.is(ended.code, entry.rejected === undefined ? 0 : 3, ended.stderr);
    } finally {
      box.remove();
    }
  });
}
program.run();

function document({ document: text, parameters, objects }: Entry): string {
  if (text !== undefined) return text;
  return stringify({
    apiVersion: 'secrets-store.csi.x-k8s.io/v1',
    kind: 'SecretProviderClass',
    metadata: { name: 'demo' },
    spec: { provider: 'aws', parameters: { region: 'eu-west-1', ...parameters, objects } },
  });
}

async function report(entry: Entry): Promise<CheckReport> {
  const { plan, problems, warnings } = await parsePlan(document(entry), {
    file: 'demo.yaml',
    defaultMode: 0o644,
    environmentRegion: entry.environment,
    missingRegion: 'warning',
  });
  const configs = plan === undefined ? [] : [{ plan, directory: '/mnt/secrets-store' }];
  return checkReport({ configs, problems, warnings });
}

type Outcome = Pick<Entry, 'files' | 'reads' | 'rejected'>;

function outcome(found: CheckReport): Outcome {
  if (!found.ok) return { rejected: found.problems[0]?.subject ?? 'nothing' };
  return {
    files: found.files.map(
      ({ mode, path, source }) => `${mode} ${path}${source === 'whole' ? '' : ` <- ${source}`}`,
    ),
    reads: found.reads.map(({ service, region, id, version, stage }) =>
      [service, region, id, ...named('version', version), ...named('stage', stage)].join(' '),
    ),
  };
}

function named(name: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [`${name} ${value}`];
}

function expected({ files, reads, rejected }: Entry): Outcome {
  return rejected === undefined ? { files: files ?? [], reads: reads ?? [] } : { rejected };
}
