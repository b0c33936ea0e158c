/**
 * Disables Abseil's deadlock detection in a Node executable.
 *
 * V8 uses the mutexes of Abseil, and Node's official builds contain Abseil's debug version: every process allocates and fills 1 MiB
 * for a graph of locks, and each lock updates it. Abseil reads the mode of the detection from a static variable; this file changes
 * its initial value from abort to ignore. No offset changes.
 */

import { sectionsOf } from './elf.ts';

/** The name of the variable; what follows depends on the compiler. */
const VARIABLE = '_ZN4absl12_GLOBAL__N_124synch_deadlock_detectionE';

/** Values of absl::OnDeadlockCycle (absl/synchronization/mutex.h). */
const IGNORE = 0;
const ABORT = 2;

/** The same executable with the detection disabled. Throws if the variable is missing or has another value. */
export function disableLockChecks(executable: Buffer): Buffer {
  const changed = Buffer.from(executable);
  const offset = offsetOf(VARIABLE, executable);
  if (executable.readUInt32LE(offset) !== ABORT)
    throw new Error(`expected ${ABORT} as the value of ${VARIABLE}, got ${executable.readUInt32LE(offset)}`);
  changed.writeUInt32LE(IGNORE, offset);
  return changed;
}

/** sh_type of a symbol table, and the bytes of one symbol (ELF-64). */
const SYMBOLS = 2;
const SYMBOL_SIZE = 24;

/** The offset in the file of the only variable whose name starts with `name`. */
function offsetOf(name: string, file: Buffer): number {
  const sections = sectionsOf(file);
  const table = sections.find(({ type }) => type === SYMBOLS);
  const names = sections[table?.link ?? -1];
  if (table === undefined || names === undefined) throw new Error('the executable has no symbol table');
  const found: number[] = [];
  for (let at = table.offset; at < table.offset + table.size; at += SYMBOL_SIZE) {
    const from = names.offset + file.readUInt32LE(at);
    if (file.toString('latin1', from, from + name.length) !== name) continue;
    const address = Number(file.readBigUInt64LE(at + 8));
    const section = sections[file.readUInt16LE(at + 6)];
    if (section !== undefined) found.push(section.offset + address - section.address);
  }
  const [offset, ...more] = found;
  if (offset === undefined || more.length > 0)
    throw new Error(`expected one variable ${name} in the executable, got ${found.length}`);
  return offset;
}
