// Runs the program once, as the launcher does, and writes the code of every function that ran: node warm-up.cjs PROGRAM CODE
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { Script } = require('node:vm');

const [, , program, code, ...args] = process.argv;
process.argv.splice(2, process.argv.length, ...args);
const script = new Script(readFileSync(program, 'latin1'), { filename: 'podsecrets' });
process.on('exit', () => writeFileSync(code, script.createCachedData()));
script.runInThisContext()(require);
