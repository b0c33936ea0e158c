/**
 * Fails if V8 rejects stored code of Node's own modules: node --expose-internals check-builtins.cjs NAME…
 *
 * Loads each module that a program can load; they load the others.
 */
'use strict';
const { internalBinding } = require('internal/test/binding');

for (const name of process.argv.slice(2)) if (!name.startsWith('internal/')) require(`node:${name}`);
const { compiledWithoutCache } = internalBinding('builtins').getCacheUsage();
if (compiledWithoutCache.size > 0)
  throw new Error(`V8 rejects the stored code of ${[...compiledWithoutCache].join(', ')}`);
