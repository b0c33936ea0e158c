/** `npm run docs`: writes the generated sections of the README anew, what the Helm chart says about itself, and the drawing of the last bench. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchChart } from '../bench/table.ts';
import { renderChartReadme, renderChartSchema } from './chart.ts';
import { readme, rewritten, root } from './sections.ts';

writeFileSync(join(root, 'README.md'), rewritten(readme()));
writeFileSync(join(root, 'helm/podsecrets/README.md'), renderChartReadme());
writeFileSync(join(root, 'helm/podsecrets/values.schema.json'), renderChartSchema());
writeFileSync(join(root, 'test/bench/starts.svg'), benchChart());
