/** `npm run docs`: writes the generated sections of the README anew, and what the chart says about itself. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderChartReadme, renderChartSchema } from './chart.ts';
import { readme, rewritten, root } from './sections.ts';

writeFileSync(join(root, 'README.md'), rewritten(readme()));
writeFileSync(join(root, 'helm/podsecrets/README.md'), renderChartReadme());
writeFileSync(join(root, 'helm/podsecrets/values.schema.json'), renderChartSchema());
