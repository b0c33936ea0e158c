/**
 * Runs the program several times in one process, as the launcher does, to see what it needs: node warm-up.cjs DIRECTORY RUNS
 *
 * RUNS is JSON: a list of { name, args, env }. Writes DIRECTORY/needed.json, the chunks that each run needed, and next to
 * each of these chunks the code of all its functions that ran.
 */
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');
const { launch } = require('./launcher.cjs');

const [, , directory, runs] = process.argv;
const read = (name) => readFileSync(join(directory, name), 'latin1');
const chunks = JSON.parse(read('chunks.json'));
const scripts = new Map();
const needed = {};

const exit = process.exit;
// The exit code if a run never calls exit, because nothing is pending in the event loop.
process.exitCode = 1;
void warmUp(JSON.parse(runs));

async function warmUp(list) {
  for (const { name, args, env, worker } of list) {
    const needs = new Set();
    const restore = worker === undefined ? () => {} : keepState();
    await run(args, env, worker, needs);
    restore();
    needed[name] = [...needs];
  }
  writeFileSync(join(directory, 'needed.json'), JSON.stringify(needed));
  for (const [chunk, script] of scripts)
    writeFileSync(join(directory, `${chunk}.code`), script.createCachedData());
  exit(0);
}

/**
 * Prevents a run from affecting the next one: a sidecar collects garbage, which would drop the code that is to be stored, and
 * leaves timers and signal handlers. The returned function removes these and restores the functions.
 */
function keepState() {
  const [v8, vm] = [require('node:v8'), require('node:vm')];
  const { setFlagsFromString } = v8;
  const { runInNewContext } = vm;
  const { setTimeout } = globalThis;
  const timers = [];
  v8.setFlagsFromString = () => {};
  vm.runInNewContext = () => () => {};
  globalThis.setTimeout = (...args) => {
    const timer = setTimeout(...args);
    timers.push(timer);
    return timer;
  };
  return () => {
    Object.assign(v8, { setFlagsFromString });
    Object.assign(vm, { runInNewContext });
    Object.assign(globalThis, { setTimeout });
    for (const timer of timers) clearTimeout(timer);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP']) process.removeAllListeners(signal);
  };
}

/** One run, from the launch until it calls exit. A failed run ends the process; the program's own message is on stderr. */
function run(args, env, worker, needs) {
  return new Promise((resolve) => {
    process.argv = [process.execPath, worker ?? 'podsecrets', ...args];
    process.env = env;
    process.exit = (status) => (status === 0 ? resolve() : exit(status));
    launch(chunks, (chunk) => {
      needs.add(chunk);
      // The same script for all runs, so that it gathers the code of all of them.
      if (!scripts.has(chunk)) scripts.set(chunk, new Script(read(chunk), { filename: chunk }));
      return scripts.get(chunk);
    });
  });
}
