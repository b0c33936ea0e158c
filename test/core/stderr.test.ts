import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { until, within } from '../support/wait.ts';

const file = new URL('../../src/core/stderr.ts', import.meta.url).href;
const logging = new URL('../../src/commands/logging.ts', import.meta.url).href;

test('drops a line without an error if the reader has closed the pipe', async () => {
  const script = `
    import { writeToStderr } from ${JSON.stringify(file)};
    process.stdin.resume().on('end', () => { writeToStderr('a'); process.stdout.write('alive'); });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  child.stderr.destroy();
  child.stderr.once('close', () => child.stdin.end());
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await within('the end of its output', once(child.stdout, 'end'));
  assert.is(said, 'alive');
});

/** Runs a script with `write`, a line of 1 KiB, and a named pipe as stderr; `reader` is its other end. */
function start(script: string) {
  const folder = mkdtempSync(join(tmpdir(), 'podsecrets-'));
  const fifo = join(folder, 'log');
  execFileSync('mkfifo', [fifo]);
  const open = () => openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  let reader = open();
  const prelude = `
    import { droppedLines, noticeDroppedLines, writeExitLine, writeToStderr } from ${JSON.stringify(file)};
    import { openCommandLog } from ${JSON.stringify(logging)};
    let written = 0;
    const write = () => writeToStderr(String(written++).padEnd(1023, '.') + '\\n');
    const say = (text) => process.stdout.write(text + '\\n');
    noticeDroppedLines((lines) => 'dropped ' + lines + '\\n');`;
  const words = [process.execPath, '--input-type=module', '-e', prelude + script];
  const child = spawn('sh', ['-c', `exec "$0" "$@" 2> ${fifo}`, ...words]);
  const ended = once(child, 'close');
  const replies = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let log = '';
  return {
    child,
    ended,
    line: async () => (await within('a reply', replies.next())).value as string,
    /** Reads until the log has this text. */
    async read(text: string): Promise<readonly string[]> {
      const part = Buffer.alloc(65_536);
      await until(`${text} in the log`, () => {
        try {
          log += part.toString('latin1', 0, readSync(reader, part));
        } catch {
          // EAGAIN: the pipe is empty.
        }
        return log.includes(text);
      });
      return log.trimEnd().split('\n');
    },
    closeReader: () => closeSync(reader),
    openReader() {
      reader = open();
    },
    close() {
      closeSync(reader);
      rmSync(folder, { recursive: true });
    },
  };
}

test('the log says how many lines are missing, and where, once its reader reads again', async () => {
  const { child, line, read, ended, close } = start(`
    for (let at = 0; at < 6000; at++) write();
    say(droppedLines());
    process.stdin.once('data', () => write()).on('end', () => {});`);
  const dropped = Number(await line());
  assert.ok(dropped > 1500, String(dropped));
  // The notice does not wait for another line.
  const lines = await read(`dropped ${dropped}\n`);
  assert.equal(
    lines.map((text) => text.replace(/\.+$/, '')),
    [...Array.from({ length: 6000 - dropped }, (_, at) => String(at)), `dropped ${dropped}`],
  );
  child.stdin.end('x');
  assert.is((await read('\n6000.')).filter((text) => text.startsWith('dropped')).length, 1);
  await within('the end', ended);
  close();
});

test('a line after a drop comes after the notice, and the exit line is never dropped', async () => {
  const { line, read, ended, close } = start(`
    for (let at = 0; at < 6000; at++) write();
    say(droppedLines());
    writeExitLine('the end\\n');`);
  const dropped = Number(await line());
  const lines = await read('the end\n');
  assert.equal(lines.slice(-2), [`dropped ${dropped}`, 'the end']);
  await within('the end', ended);
  close();
});

test('the notice of a log in text has the number as a field', async () => {
  const { child, line, read, ended, close } = start(`
    const settings = { logLevel: 'error', logFormat: 'text' };
    openCommandLog({ settings, env: {}, stderr: { isTerminal: false }, clock: { now: Date.now } });
    for (let at = 0; at < 6000; at++) write();
    say('stalled');
    process.stdin.resume();`);
  assert.is(await line(), 'stalled');
  const notice = (await read('lines=')).at(-1) ?? '';
  child.stdin.end();
  assert.match(
    notice,
    /^\S+ ERROR (\d+) lines of the log could not be written here {2}log\.dropped lines=\1$/,
  );
  await within('the end', ended);
  close();
});

test('lines that are written while there is no reader are counted as well', async () => {
  const { child, line, read, ended, closeReader, openReader, close } = start(`
    write();
    say('first');
    process.stdin.on('data', () => { write(); write(); say(droppedLines()); }).on('end', () => {});`);
  await line();
  await read('0.');
  closeReader();
  child.stdin.write('x');
  assert.is(await line(), '2');
  openReader();
  child.stdin.end('y');
  assert.is(await line(), '2');
  const lines = await read('\n4.');
  assert.equal(
    lines.map((text) => text.replace(/\.+$/, '')),
    ['0', 'dropped 2', '3', '4'],
  );
  await within('the end', ended);
  close();
});

test.run();
