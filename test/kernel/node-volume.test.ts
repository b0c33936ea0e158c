/** Run by `npm run test:kernel` where fs.protected_symlinks is 1. */

import { nodeVolume } from '../process/node-volume.ts';

nodeVolume.run();
