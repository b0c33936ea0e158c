/** The file of variables as the kubelet's own parser and that of docker compose read it, built from their sources. */

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Secret } from '../../src/core/secret.ts';
import { envFileContent, envValueError } from '../../src/render/env-file.ts';
import { kubernetesModule, writeKubernetesModule } from '../cluster/build.ts';
import { buildGoProgram, go } from '../cluster/go.ts';
import { isAllowed } from '../support/allowed.ts';
import { envCorpus } from '../support/env-corpus.ts';
import { makeSandbox } from '../support/sandbox.ts';

const test = suite('parsers of the file of variables');
const box = makeSandbox();
test.after(() => box.remove());

const COMPOSE = 'github.com/compose-spec/compose-go/v2/dotenv@v2.1.0';

const modules = {
  kubelet: { directory: kubernetesModule, prepare: writeKubernetesModule },
  compose: {
    directory: join(tmpdir(), 'podsecrets-compose-2.1.0'),
    prepare(directory: string) {
      if (existsSync(join(directory, 'go.mod'))) return;
      go(directory, ['mod', 'init', 'podsecrets.test/compose']);
      go(directory, ['get', COMPOSE]);
    },
  },
} as const;

function built(parser: keyof typeof modules): string {
  const { directory, prepare } = modules[parser];
  const source = join(directory, 'parser');
  return buildGoProgram({
    directory,
    name: 'parser',
    from: './parser',
    prepare() {
      prepare(directory);
      mkdirSync(source, { recursive: true });
      copyFileSync(
        join(import.meta.dirname, `../fixtures/env-parsers/${parser}.go`),
        join(source, 'main.go'),
      );
    },
  });
}

if (isAllowed('the parsers of the kubelet and of docker compose', ['go', 'version'])) {
  for (const parser of ['kubelet', 'compose'] as const) {
    test(`${parser} reads every value unchanged`, () => {
      const program = built(parser);
      const names = Object.keys(envCorpus).map((_, index) => `V${index}`);
      const values = Object.fromEntries(
        names.map((name, index) => [name, Object.values(envCorpus)[index] ?? '']),
      );
      const variables = Object.entries(values).map(([name, value]) => ({ name, value: new Secret(value) }));
      assert.equal(variables.map(envValueError).filter(Boolean), []);
      const content = new TextDecoder('utf-8', { ignoreBOM: true }).decode(
        envFileContent(variables).reveal(),
      );
      const output = execFileSync(program, [box.write('app.env', content), ...names], { encoding: 'utf8' });
      assert.equal(JSON.parse(output), values);
    });
  }
}

test.run();
