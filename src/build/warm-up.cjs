/**
 * Runs the program several times in one process, as the launcher does, to see what it needs: node warm-up.cjs DIRECTORY RUNS
 *
 * RUNS is JSON: a list of { name, args, env }. Writes DIRECTORY/needed.json, the packs that each run needed, and beside each
 * of these packs the code of all its functions that ran.
 */
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');
const { launch } = require('./launcher.cjs');

const [, , directory, runs] = process.argv;
const text = (name) => readFileSync(join(directory, name), 'latin1');
const packs = JSON.parse(text('packs.json'));
const scripts = new Map();
const needed = {};

const exit = process.exit;
// A run that waits for nothing and has not exited.
process.exitCode = 1;
void warmUp(JSON.parse(runs));

async function warmUp(list) {
  for (const { name, args, env } of list) {
    const needs = new Set();
    await run(args, env, needs);
    needed[name] = [...needs];
  }
  writeFileSync(join(directory, 'needed.json'), JSON.stringify(needed));
  for (const [pack, script] of scripts)
    writeFileSync(join(directory, `${pack}.code`), script.createCachedData());
  exit(0);
}

/** One run, from the launch to the moment when it wants to exit; if it failed, its own words are on stderr. */
function run(args, env, needs) {
  return new Promise((resolve) => {
    process.argv = [process.execPath, 'podsecrets', ...args];
    process.env = env;
    process.exit = (status) => (status === 0 ? resolve() : exit(status));
    launch(packs, (pack) => {
      needs.add(pack);
      // The same script for all runs, so that the code of all of them gathers in it.
      if (!scripts.has(pack)) scripts.set(pack, new Script(text(pack), { filename: pack }));
      return scripts.get(pack);
    });
  });
}
