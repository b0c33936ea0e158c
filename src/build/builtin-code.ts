/**
 * Replaces the compiled code of Node's own modules in a Node executable.
 *
 * The executable contains the code that V8 compiled of each module when Node was built, and V8 does not compile a module whose
 * stored code it accepts. For this program that code has two faults:
 *
 * - V8 accepts it only with the flags of that build. So each header gets the hash of this program's flags. No flag of the program
 *   changes what V8 compiles.
 * - It does not contain functions, which V8 compiles when they are first called: 430 of them in an `init` over TLS, a seventh of its
 *   instructions. So the modules that a sync uses get code with all their functions. It needs more space, and is written over
 *   the source that trim-builtins.ts removes.
 *
 * The address and the size of the code are constants in the instructions that create Node's table of stored code. On x86-64 they can
 * be changed there. On arm64 compilers spread them over several instructions, so there the modules keep their code.
 *
 * The header has words of four bytes (SerializedCodeData in V8's src/snapshot/code-serializer.h).
 */

import { sectionsOf } from './elf.ts';
import type { BuiltinSources } from './trim-builtins.ts';

/** The modules whose functions an `init` over TLS calls, as `node --log-function-events` reports them. */
export const COMPILED_BUILTINS: readonly string[] = [
  '_http_agent',
  '_http_client',
  '_http_common',
  '_http_incoming',
  '_http_outgoing',
  'crypto',
  'dns',
  'ffi',
  'http',
  'https',
  'internal/abort_controller',
  'internal/async_local_storage/async_context_frame',
  'internal/crypto/hash',
  'internal/crypto/keys',
  'internal/crypto/random',
  'internal/crypto/util',
  'internal/crypto/x509',
  'internal/ffi/fast-api',
  'internal/http',
  'internal/stream_base_commons',
  'internal/streams/destroy',
  'internal/streams/duplex',
  'internal/streams/readable',
  'internal/streams/transform',
  'internal/streams/writable',
  'internal/tls/common',
  'internal/tls/secure-context',
  'internal/tls/wrap',
  'net',
  'os',
  'tls',
];

/** What compile-builtins.cjs writes. */
export interface CompiledBuiltins {
  /** Of the flags that the program has. */
  readonly hash: number;
  /** The code of modules in base64, by their names. */
  readonly code: Readonly<Record<string, string>>;
}

/** Offsets in the header. */
const SOURCE = 8;
const FLAG_HASH = 12;
/** The lower bits of the second are the length of the source. */
const SOURCE_LENGTH = 0x1fff_ffff;
/** V8 copies code with another alignment. */
const ALIGNMENT = 8;

/** The same executable, with the hash in the headers of all stored code. `header`: of any code of the Node that runs the build. */
export function acceptFlags(executable: Buffer, header: Buffer, hash: number): Buffer {
  const changed = Buffer.from(executable);
  for (const offset of headersIn(executable, header)) changed.writeUInt32LE(hash, offset + FLAG_HASH);
  return changed;
}

/** The same executable with this code of these modules in the part that is not used. `header` as in `acceptFlags`. */
export function storeBuiltins(
  executable: Buffer,
  header: Buffer,
  { code }: CompiledBuiltins,
  sources: BuiltinSources,
  unused: { readonly begin: number; readonly end: number },
): Buffer {
  const changed = Buffer.from(executable);
  const headers = headersIn(executable, header);
  let next = unused.begin;
  for (const [name, base64] of Object.entries(code)) {
    const stored = only(
      headers.filter(
        (at) => (executable.readUInt32LE(at + SOURCE) & SOURCE_LENGTH) === sources[name]?.length,
      ),
      `code of ${name}`,
    );
    const bytes = Buffer.from(base64, 'base64');
    // The word has also flags of the source, which are those of Node's build.
    executable.copy(bytes, SOURCE, stored + SOURCE, stored + SOURCE + 4);
    const begin = Math.ceil(next / ALIGNMENT) * ALIGNMENT;
    next = begin + bytes.length;
    if (next > unused.end) throw new Error(`expected space for the code of ${name}`);
    bytes.copy(changed, begin);
    const entry = tableEntry(executable, stored, name);
    changed.writeUInt32LE(addressOf(executable, begin), entry.address);
    changed.writeUInt32LE(bytes.length, entry.size);
  }
  return changed;
}

/** The offsets of stored code with the same versions of V8 and its heap, and the same flags. */
function headersIn(executable: Buffer, header: Buffer): readonly number[] {
  const found: number[] = [];
  const flagsAndHeap = header.subarray(FLAG_HASH, FLAG_HASH + 8);
  for (let at = -1; ; ) {
    at = executable.indexOf(flagsAndHeap, at + 1);
    if (at === -1) break;
    const begin = at - FLAG_HASH;
    if (begin >= 0 && executable.compare(header, 0, SOURCE, begin, begin + SOURCE) === 0) found.push(begin);
  }
  if (found.length === 0) throw new Error('expected compiled code in the executable');
  return found;
}

/** `mov qword [rbp + offset], value`: an offset of four bytes, a value of four. */
const MOVE = Buffer.from([0x48, 0xc7, 0x85]);
const OFFSET_SIZE = 4;
const VALUE_SIZE = 4;

/** Where the table's address and size of this code are: the values of two instructions, one after the other. */
function tableEntry(executable: Buffer, stored: number, name: string): { address: number; size: number } {
  const value = Buffer.alloc(VALUE_SIZE);
  value.writeUInt32LE(addressOf(executable, stored));
  const found: number[] = [];
  for (const { offset, size } of sectionsOf(executable).filter(({ isCode }) => isCode)) {
    const code = executable.subarray(offset, offset + size);
    for (let at = -1; ; ) {
      at = code.indexOf(value, at + 1);
      if (at === -1) break;
      if (isMove(code, at - OFFSET_SIZE - MOVE.length) && isMove(code, at + VALUE_SIZE))
        found.push(offset + at);
    }
  }
  const address = only(found, `address of the code of ${name}`);
  return { address, size: address + VALUE_SIZE + MOVE.length + OFFSET_SIZE };
}

function isMove(code: Buffer, at: number): boolean {
  return at >= 0 && code.compare(MOVE, 0, MOVE.length, at, at + MOVE.length) === 0;
}

/** The address in the process of a byte of the file. */
function addressOf(executable: Buffer, at: number): number {
  const section = sectionsOf(executable).find(({ offset, size }) => at >= offset && at < offset + size);
  if (section === undefined) throw new Error('expected the compiled code in a section of the executable');
  return section.address + at - section.offset;
}

function only(found: readonly number[], what: string): number {
  const [first, ...more] = found;
  if (first === undefined || more.length > 0)
    throw new Error(`expected one ${what} in the executable, got ${found.length}`);
  return first;
}
