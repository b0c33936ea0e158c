/** `npm run docs`: writes the generated sections of the README anew. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readme, rewritten, root } from './sections.ts';

writeFileSync(join(root, 'README.md'), rewritten(readme()));
