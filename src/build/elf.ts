/** Reads the sections of a little-endian ELF-64 file, such as a Node executable. */

/** A section of the file. */
export interface Section {
  readonly type: number;
  readonly isCode: boolean;
  /** Where the section is in the memory of the process, and in the file. */
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  /** For a symbol table: the index of the section with their names. */
  readonly link: number;
}

/** The flag of a section with code. */
const SHF_EXECINSTR = 4n;

export function sectionsOf(file: Buffer): readonly Section[] {
  const start = Number(file.readBigUInt64LE(0x28));
  const [size, count] = [file.readUInt16LE(0x3a), file.readUInt16LE(0x3c)];
  return Array.from({ length: count }, (_, index) => {
    const header = start + index * size;
    return {
      type: file.readUInt32LE(header + 4),
      isCode: (file.readBigUInt64LE(header + 8) & SHF_EXECINSTR) !== 0n,
      address: Number(file.readBigUInt64LE(header + 0x10)),
      offset: Number(file.readBigUInt64LE(header + 0x18)),
      size: Number(file.readBigUInt64LE(header + 0x20)),
      link: file.readUInt32LE(header + 0x28),
    };
  });
}
