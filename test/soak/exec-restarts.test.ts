/** A hundred restarts of commands that are hard to stop. */

import { test } from 'uvu';
import { testRestarts } from '../support/supervised.ts';

testRestarts(100);

test.run();
