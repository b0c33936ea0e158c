// The script inside the executable: compiles the program from the code that the build's warm-up left, and runs it.
'use strict';
const { getRawAsset } = require('node:sea');
const { Script } = require('node:vm');

const script = new Script(Buffer.from(getRawAsset('program')).latin1Slice(), {
  filename: 'podsecrets',
  cachedData: Buffer.from(getRawAsset('code')),
});
script.runInThisContext()(require);
