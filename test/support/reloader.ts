/**
 * An application that reloads: at SIGHUP it reads a file and prints its content.
 *
 *   node test/support/reloader.ts FILE PID_FILE
 *
 * It prints `up` when it can be signalled, and then the text of the file after each signal.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';

if (import.meta.main) {
  const [file = '', pidFile = ''] = process.argv.slice(2);
  process.on('SIGHUP', () => print(readFileSync(file, 'utf8')));
  writeFileSync(`${pidFile}.tmp`, `${process.pid}\n`);
  renameSync(`${pidFile}.tmp`, pidFile);
  print('up');
  // It ends with the process that started it.
  process.stdin.on('end', () => process.exit()).resume();
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
