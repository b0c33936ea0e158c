/** What is true of every text that is parsed as a config. */

import { posix } from 'node:path';
import * as assert from 'uvu/assert';
import type { ParsedPlan } from '../../src/config/parse.ts';
import type { Plan } from '../../src/config/plan.ts';
import { checkReport, checkText } from '../../src/config/report.ts';
import { escapeControl } from '../../src/core/text.ts';

/** A plan or problems, with lines of the text and without control characters; planned paths are in the directory. */
export function assertConfig(text: string, parsed: ParsedPlan): void {
  assert.is(parsed.plan === undefined, parsed.problems.length > 0);
  const lines = text.split(/\r\n|\r|\n|\u0085/).length;
  for (const { code, line, message, remedy } of [...parsed.problems, ...parsed.warnings]) {
    assert.match(code, /^config\./);
    assert.ok(
      line === undefined || (Number.isInteger(line) && line >= 1 && line <= lines),
      `line ${line} of ${lines}`,
    );
    assert.ok(message !== '' && message.length < 1500, escapeControl(message));
    assert.not.equal(remedy, '');
  }
  const checked = {
    ...parsed,
    configs: parsed.plan === undefined ? [] : [{ plan: parsed.plan, directory: '/mnt' }],
  };
  assert.not.match(checkText(checked), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  JSON.stringify(checkReport(checked));
  if (parsed.plan !== undefined) assertInside(parsed.plan);
}

function assertInside(plan: Plan): void {
  const outputs = plan.objects.flatMap((object) => object.outputs);
  const paths = outputs.flatMap((output) => (output.kind === 'expand' ? [] : [output.path as string]));
  for (const path of paths) {
    assert.is(posix.join('/mnt', path), `/mnt/${path}`);
    assert.not.match(path, /^\.\.|^\/|\0/);
    for (const segment of path.split('/')) assert.ok(Buffer.byteLength(segment) <= 255);
  }
  assert.is(new Set(paths).size, paths.length);
  for (const path of paths)
    assert.not(
      paths.some((other) => other.startsWith(`${path}/`)),
      `${path} is a directory`,
    );
}
