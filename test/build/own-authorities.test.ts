import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { programFlags } from '../../src/build/executable.ts';

const test = suite('own authorities');

const MODULE = join(import.meta.dirname, '../../src/http/authorities.ts');

function output(flags: readonly string[], script: string): string {
  const args = ['--no-warnings', ...flags, '--input-type=module', '-e', script];
  return execFileSync(process.execPath, args, { encoding: 'utf8', env: {} }).trim();
}

/** Whether Node trusts this many authorities for a connection that names none. */
const COUNT =
  "import { getCACertificates } from 'node:tls'; console.log(getCACertificates('default').length);";

test('Node with the flags of the program trusts none of its own authorities, so that it does not parse them', () => {
  assert.is(output(programFlags(new Set(['own-authorities'])), COUNT), String(rootCertificates.length));
  assert.is(output(programFlags(), COUNT), '0');
});

test('the program trusts all of them where it names them, and by default after trustByDefault', () => {
  const imports = `import { authorities, trustByDefault } from ${JSON.stringify(MODULE)};`;
  assert.is(
    output(programFlags(), `${imports} console.log(authorities.all().length);`),
    String(rootCertificates.length),
  );
  assert.is(output(programFlags(), `${imports} trustByDefault(); ${COUNT}`), String(rootCertificates.length));
});

test.run();
