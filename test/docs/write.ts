/** `npm run docs`: writes the generated sections of the pages, the chart's README and schema, and the drawing of the last bench. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchChart } from '../bench/table.ts';
import { renderChartReadme, renderChartSchema } from './chart.ts';
import { root, writePages } from './pages.ts';

writePages();
writeFileSync(join(root, 'helm/podsecrets/README.md'), renderChartReadme());
writeFileSync(join(root, 'helm/podsecrets/values.schema.json'), renderChartSchema());
writeFileSync(join(root, 'test/bench/starts.svg'), benchChart());
