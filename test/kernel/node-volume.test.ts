/** Run by `npm run test:kernel` where fs.protected_symlinks is 1. */

import '../process/node-volume.test.ts';
