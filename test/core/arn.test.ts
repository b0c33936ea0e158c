/** The partitions of AWS, compared with those of the SDK. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { partitionOf } from '../../src/core/arn.ts';

const test = suite('ARNs');

for (const [region, name, suffix] of [
  ['eu-west-1', 'aws', 'amazonaws.com'],
  ['us-gov-east-1', 'aws-us-gov', 'amazonaws.com'],
  ['cn-north-1', 'aws-cn', 'amazonaws.com.cn'],
  ['us-iso-east-1', 'aws-iso', 'c2s.ic.gov'],
  ['us-isob-east-1', 'aws-iso-b', 'sc2s.sgov.gov'],
  ['eu-isoe-west-1', 'aws-iso-e', 'cloud.adc-e.uk'],
  ['us-isof-south-1', 'aws-iso-f', 'csp.hci.ic.gov'],
  ['eusc-de-east-1', 'aws-eusc', 'amazonaws.eu'],
] as const) {
  test(`${region} belongs to ${name}`, () => {
    assert.equal(partitionOf(region), { name, suffix });
  });
}

test.run();
