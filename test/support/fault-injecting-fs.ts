/**
 * The real file system, in which one chosen operation fails.
 *
 *   const faulty = faultInjectingFs();
 *   faulty.arm({ kind: 'error', at: 7, code: 'ENOSPC' });   // the 7th operation from now on fails, later ones do not
 *   faulty.arm({ kind: 'crash', at: 7 });                   // the process is killed in it: it is half done, nothing follows
 *   faulty.operations                                       // the operations since, `renameSync ..data_tmp` and so on
 */

import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import type { FileSystem } from '../../src/publish/fs.ts';

type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'error'; readonly at: number; readonly code: string }
  | { readonly kind: 'crash'; readonly at: number };

export interface FaultInjectingFs {
  readonly fs: FileSystem;
  readonly operations: readonly string[];
  arm(fault: Fault): void;
}

/** Not an error of the file system, and so never taken for one. */
class SimulatedCrash extends Error {}

export function faultInjectingFs(): FaultInjectingFs {
  let fault: Fault = { kind: 'none' };
  let operations: string[] = [];
  const proxy = new Proxy(fs as FileSystem, {
    get(target, name: keyof FileSystem) {
      if (name === 'constants') return target[name];
      const operation = target[name] as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        operations.push(`${name} ${args.map(shortened).join(' ')}`);
        const turn = operations.length;
        if (fault.kind === 'error' && turn === fault.at) throw systemError(fault.code, name, args[0]);
        if (fault.kind === 'crash' && turn === fault.at) doHalf(name, args);
        if (fault.kind === 'crash' && turn >= fault.at) throw new SimulatedCrash(operations.at(-1));
        return operation(...args);
      };
    },
  });
  return {
    fs: proxy,
    get operations() {
      return operations;
    },
    arm(next) {
      fault = next;
      operations = [];
    },
  };
}

function shortened(argument: unknown): string {
  return typeof argument === 'string' ? basename(argument) : '';
}

function systemError(code: string, syscall: string, path: unknown): Error {
  const details = {
    code,
    syscall: syscall.replace(/Sync$/, ''),
    ...(typeof path === 'string' ? { path } : {}),
  };
  return Object.assign(new Error(`${code}: injected`), details);
}

/** The operations that are not one step: a write that stops in the middle, a removal that has only begun. */
function doHalf(name: keyof FileSystem, args: readonly unknown[]): void {
  const path = String(args[0]);
  if (name === 'writeFileSync') {
    const bytes = Buffer.from(args[1] as Uint8Array);
    fs.writeFileSync(path, bytes.subarray(0, bytes.length / 2), { flag: 'wx', mode: 0o600 });
  }
  if (name === 'rmSync' && fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    const first = fs.readdirSync(path).sort()[0];
    if (first !== undefined) fs.rmSync(join(path, first), { recursive: true });
  }
}
