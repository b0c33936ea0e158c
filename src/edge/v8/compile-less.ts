/**
 * Tells V8 not to compile for speed: nothing here runs long enough to earn it back.
 *
 * The compilers would start on the YAML of fifty objects. Without them the peak of such an init is 60 instead of 66 MB, and
 * it takes 8 % less CPU; a sidecar keeps 3 MB less, for neither their code nor their work space is ever given back.
 */

import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { setFlagsFromString } from 'node:v8';

/** To be called first of all; `endpoint` is where AWS is asked, if not at its own addresses. */
export function compileLess(endpoint: string | undefined): void {
  // Loaded now: once flags have changed, V8 no longer takes the code that Node stores of its own modules (13 ms of CPU).
  void createHash;
  void http.request;
  if (!endpoint?.startsWith('http:')) void https.request;
  for (const flag of FLAGS) setFlagsFromString(flag);
}

/** `--max-opt=0` alone would do on a command line; later it leaves out what it implies. */
const FLAGS = ['--max-opt=0', '--no-turbofan', '--no-maglev', '--no-sparkplug'];
