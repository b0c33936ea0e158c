/** On the kernel of this machine. */

import { nodeVolume } from './node-volume.ts';

nodeVolume.run();
