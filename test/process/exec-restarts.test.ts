/** A few restarts of commands that are hard to stop; test/soak does a hundred. */

import { test } from 'uvu';
import { testRestarts } from '../support/supervised.ts';

testRestarts(3);

test.run();
