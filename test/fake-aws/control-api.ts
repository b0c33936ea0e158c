/**
 * The controls over HTTP: `POST /_fake-aws/<verb>` with the verb's object as JSON returns `{"result": …}`, or 400 with
 * `{"error": "sentence"}`. Verbs that need no object also accept a GET, for curl.
 */

import type { Controls } from './controls.ts';
import { number, object, type Reader, text } from './reading.ts';
import { fault, filterFields, identityFields, parameterFields, secretFields, seed } from './seed.ts';
import type { HttpRequest, HttpResponse } from './service.ts';

export const CONTROL_PATH = '/_fake-aws/';

const inRegion = { region: text, name: text } as const;
const nothing: Reader<undefined> = (value, where) => {
  if (value !== undefined) throw new Error(`${where}: expected no object`);
};
const filter = optional(object({}, { ...filterFields, status: number, code: text, identity: text }));

/** How the object of each verb is read. */
const readers: { readonly [V in keyof Controls]: Reader<Parameters<Controls[V]>[0]> } = {
  calls: filter,
  count: filter,
  clearCalls: nothing,
  addFault: fault,
  removeFault: object({ number }, {}),
  clearFaults: nothing,
  faults: nothing,
  putSecret: object(inRegion, secretFields),
  removeSecret: object(inRegion, {}),
  putParameter: object(inRegion, parameterFields),
  removeParameter: object(inRegion, {}),
  changeIdentity: object({ name: text }, identityFields),
  expireCredentials: optional(object({}, { identity: text })),
  advanceClock: object({ ms: number }, {}),
  load: seed,
  reset: nothing,
};

/** Their names. */
export const controlVerbs: readonly string[] = Object.keys(readers);

/** Executes a control request. */
export function control(request: HttpRequest, controls: Controls): HttpResponse {
  const verb = request.path.slice(CONTROL_PATH.length);
  try {
    if (!Object.hasOwn(readers, verb)) {
      throw new Error(`expected one of ${controlVerbs.join(', ')}, got "${verb}"`);
    }
    const given: unknown = request.body.length === 0 ? undefined : JSON.parse(request.body.toString());
    const argument = readers[verb as keyof Controls](given, verb);
    const act = controls[verb as keyof Controls] as (argument: unknown) => unknown;
    return json(200, { result: act(argument) ?? null });
  } catch (error) {
    return json(400, { error: error instanceof Error ? error.message : String(error) });
  }
}

function optional<T>(reader: Reader<T>): Reader<T | undefined> {
  return (value, where) => (value === undefined ? undefined : reader(value, where));
}

function json(status: number, content: unknown): HttpResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(content) };
}
