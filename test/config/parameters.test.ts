/** `spec.parameters`: regions, authentication, and the text with the objects. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { config, files, parse, problems, warnings } from '../support/config.ts';

const object = '- {objectName: db, objectType: secretsmanager}';
const withoutRegion = config(object).replace('    region: eu-west-1\n', '');

test('uses the parameter region, or else AWS_REGION', async () => {
  const environmentRegion = 'us-east-1';
  assert.is((await parse(config(object), { environmentRegion })).plan?.region, 'eu-west-1');
  assert.is((await parse(withoutRegion, { environmentRegion })).plan?.region, 'us-east-1');
  assert.is((await parse(config(object, { region: '""' }), { environmentRegion })).plan?.region, 'us-east-1');
});

test('reports a missing region, also with an empty AWS_REGION', async () => {
  assert.equal(problems(await parse(withoutRegion)), ['7 config.region parameters.region']);
  assert.equal(problems(await parse(withoutRegion, { environmentRegion: '' })), [
    '7 config.region parameters.region',
  ]);
});

test('searches other places only if neither the parameter nor AWS_REGION has a region', async () => {
  let searches = 0;
  const findRegion = async () => {
    searches++;
    return { region: 'eu-south-1', from: 'the profile dev' };
  };
  const environmentRegion = 'us-east-1';
  await parse(config(object), { findRegion });
  await parse(withoutRegion, { findRegion, environmentRegion });
  assert.is(searches, 0);
  for (const text of [withoutRegion, config(object, { region: '""' })]) {
    const { plan } = await parse(text, { findRegion });
    assert.equal([plan?.region, plan?.regionFrom], ['eu-south-1', 'the profile dev']);
  }
  const searched = ['AWS_REGION', 'the profile dev'];
  const missing = await parse(withoutRegion, { findRegion: async () => ({ region: undefined, searched }) });
  assert.match(missing.problems[0]?.message ?? '', 'none here and none in AWS_REGION, the profile dev');
});

test("a missing region is a warning where only the pod has it, and the ARNs imply the pod's region", async () => {
  const parsed = await parse(withoutRegion, { missingRegion: 'warning' });
  assert.equal(warnings(parsed), ['7 config.region parameters.region']);
  assert.match(parsed.warnings[0]?.message ?? '', 'the pod must have AWS_REGION');
  assert.is(parsed.plan?.region, '$AWS_REGION');
  assert.equal(warnings(await parse(withoutRegion, { missingRegion: 'accepted' })), []);
  const arn = (region: string) =>
    `- {objectName: "arn:aws:ssm:${region}:1:parameter/${region}", objectAlias: ${region}}`;
  const without = (objects: string) => config(objects).replace('    region: eu-west-1\n', '');
  const options = { missingRegion: 'warning' } as const;
  assert.is((await parse(without(arn('eu-west-2')), options)).plan?.region, 'eu-west-2');
  assert.equal(problems(await parse(without(`${arn('eu-west-2')}\n${arn('eu-west-3')}`), options)), [
    '9 config.object objects[1].objectName',
  ]);
});

test('a region of an unusual form is a warning, and one that is not a host name label an error', async () => {
  const warned = async (region: string) => warnings(await parse(config(object, { region })));
  for (const region of ['eu-west-1', 'us-gov-east-1', 'us-isob-east-1', 'eusc-de-east-1', 'cn-north-1'])
    assert.equal(await warned(region), [], region);
  for (const region of ['eu-west-1a', 'eu-west', 'MARS'])
    assert.equal(await warned(region), ['7 config.region parameters.region'], region);
  assert.equal(warnings(await parse(config(object, { failoverRegion: 'eu-west' }))), [
    '8 config.region parameters.failoverRegion',
  ]);
  for (const region of ['Mars 1', 'eu_west_1', '"-x"', 'x'.repeat(64), '"<region>"'])
    assert.equal(
      problems(await parse(config(object, { region }))),
      ['7 config.region parameters.region'],
      region,
    );
  assert.equal(problems(await parse(withoutRegion, { environmentRegion: 'a b' })), [
    '- config.region AWS_REGION',
  ]);
});

test('the remedy of a region of an unusual form is the region that is probably meant', async () => {
  const remedyOf = async (region: string) => {
    const { problems: found, warnings: warned } = await parse(config(object, { region }));
    return [...found, ...warned].map(({ remedy }) => remedy);
  };
  assert.equal(await remedyOf('" Eu-West-1 "'), ['Write "eu-west-1".']);
  assert.equal(await remedyOf('eu-west-1a'), [
    'Write "eu-west-1": the letter is that of an availability zone.',
  ]);
  assert.equal(await remedyOf('Ireland'), ['Write the code of the region: eu-central-1 for Frankfurt.']);
});

test('a region that is no text is one problem', async () => {
  const parsed = await parse(config(object, { region: '[eu-west-1]' }), { missingRegion: 'warning' });
  assert.equal([problems(parsed), warnings(parsed)], [['7 config.parameter parameters.region'], []]);
});

test('rejects a failoverRegion that equals AWS_REGION', async () => {
  const text = withoutRegion.replace('parameters:', 'parameters:\n    failoverRegion: us-east-1');
  assert.equal(problems(await parse(text, { environmentRegion: 'us-east-1' })), [
    '7 config.region parameters.failoverRegion',
  ]);
});

for (const [value, expected] of [
  ...['1', 't', 'T', 'true', 'True', 'TRUE'].map((text) => [`"${text}"`, true] as const),
  ...['0', 'f', 'F', 'false', 'False', 'FALSE'].map((text) => [`"${text}"`, false] as const),
  ['""', undefined],
  ['true', true],
  ['FALSE', false],
  ['0', false],
] as const) {
  test(`parses usePodIdentity: ${value} as ${expected ?? 'undefined'}`, async () => {
    const { plan } = await parse(config(object, { usePodIdentity: value }));
    assert.ok(plan);
    assert.is(plan.usePodIdentity, expected);
  });
}

for (const value of ['"yes"', '"tRUE"', '"on"', '" true"', '2', '"-"', 'yes', 'off']) {
  test(`rejects usePodIdentity: ${value}`, async () => {
    const parsed = await parse(config(object, { usePodIdentity: value }));
    assert.equal(problems(parsed), ['8 config.parameter parameters.usePodIdentity']);
    // Quotes would not make it a value that is accepted.
    assert.equal(warnings(parsed), []);
  });
}

test('uses a value without quotes as written, with a warning that the API server rejects it', async () => {
  const parsed = await parse(
    config('- {objectName: a/b, objectType: ssmparameter}', { pathTranslation: 'n' }),
  );
  assert.equal(files(parsed), ['anb 0644']);
  assert.equal(warnings(parsed), ['8 config.parameter parameters.pathTranslation']);
});

test('preferredAddressType accepts three values in any case; any other means auto, with a warning', async () => {
  const typeOf = async (value: string) =>
    (await parse(config(object, { preferredAddressType: value }))).plan?.preferredAddressType;
  assert.is(await typeOf('IPv6'), 'ipv6');
  assert.is(await typeOf('ipv4'), 'ipv4');
  assert.is(await typeOf('ipv5'), 'auto');
  assert.equal(warnings(await parse(config(object, { preferredAddressType: 'ipv5' }))), [
    '8 config.parameter parameters.preferredAddressType',
  ]);
});

test('an unknown parameter is a warning with the nearest name, except those of the CSI driver', async () => {
  const parsed = await parse(config(object, { Region: 'x', 'csi.storage.k8s.io/pod.name': 'y' }));
  assert.equal(warnings(parsed), ['8 config.unknownKey parameters']);
  assert.match(parsed.warnings[0]?.remedy ?? '', '"region"');
});

test('rejects a parameter that is a list or a map', async () => {
  assert.equal(problems(await parse(config(object, { failoverRegion: '[a]' }))), [
    '8 config.parameter parameters.failoverRegion',
  ]);
});

for (const [what, objects] of [
  ['missing', undefined],
  ['null', ''],
  ['empty', '""'],
  ['only comments', '"# nothing"'],
  ['a null document', '"~"'],
  ['an empty list', '"[]"'],
  ['an empty real list', '[]'],
] as const) {
  test(`rejects objects that are ${what}, because such an edit would remove every file`, async () => {
    const text = withoutRegion.replace(
      / {4}objects:[\s\S]*/,
      objects === undefined ? '' : `    objects: ${objects}`,
    );
    const parsed = await parse(text, { environmentRegion: 'eu-west-1' });
    assert.ok(problems(parsed).every((problem) => / config.objects parameters.objects$/.test(problem)));
    assert.is(parsed.problems.length, 1);
    assert.match(parsed.problems[0]?.message ?? '', /^expected at least one object, got none$/);
  });
}

for (const [what, text, place] of [
  [
    'object under parameters',
    ['  parameters:', '    object: |', '      - objectName: a'],
    'spec.parameters.object on line 7',
  ],
  [
    'Objects under parameters',
    ['  parameters:', '    Objects: "- {objectName: a}"'],
    'spec.parameters.Objects on line 7',
  ],
  [
    'objects under spec',
    ['  objects: "- {objectName: a}"', '  parameters: {region: a-b-1}'],
    'spec.objects on line 6',
  ],
  ['objects next to spec', ['objects:', '- objectName: a'], 'objects on line 6'],
  [
    'objects under a misspelt key',
    ['  parameter:', '    objects: [{objectName: a}]'],
    'spec.parameter.objects on line 7',
  ],
  [
    'an empty list, and objects under spec',
    ['  objects: "- {objectName: a}"', '  parameters: {objects: "[]"}'],
    'spec.objects on line 6',
  ],
] as const) {
  test(`names the place of objects that are ${what}`, async () => {
    const head = [
      'apiVersion: secrets-store.csi.x-k8s.io/v1',
      'kind: SecretProviderClass',
      'metadata: {name: demo}',
      'spec:',
      '  provider: aws',
    ];
    const parsed = await parse([...head, ...text].join('\n'), { environmentRegion: 'eu-west-1' });
    const [problem] = parsed.problems;
    assert.is(problem?.code, 'config.objects');
    assert.is(problem?.message, `expected at least one object, got none here but ${place}, which is ignored`);
    assert.is(problem?.remedy, 'Write it as objects, under spec.parameters.');
  });
}

test('does not mistake secretObjects for misplaced objects', async () => {
  const parsed = await parse(
    `${withoutRegion.replace(/ {4}objects:[\s\S]*/, '')}\n  secretObjects: [{secretName: a}]`,
  );
  assert.not.match(parsed.problems.map(({ message }) => message).join(), 'which is ignored');
});

test('rejects a key of an object among the parameters, where the text of objects ended too early', async () => {
  const parsed = await parse(`${config(object)}\n    objectType: ssmparameter`);
  assert.equal(parsed.problems.map(({ code, subject, message }) => [code, subject, message])[0], [
    'config.objects',
    'parameters',
    'expected a parameter, got "objectType", a key of an object: the text of objects ends above it',
  ]);
});

for (const [what, objects] of [
  ['text', '"hello"'],
  ['a map', '"a: b"'],
  ['a number', '12'],
  ['a real map', '{a: b}'],
] as const) {
  test(`rejects objects that are ${what}`, async () => {
    const text = withoutRegion.replace(/ {4}objects:[\s\S]*/, `    objects: ${objects}`);
    assert.equal(problems(await parse(text, { environmentRegion: 'eu-west-1' })), [
      '7 config.objects parameters.objects',
    ]);
  });
}

test('accepts objects as a YAML list instead of text', async () => {
  const text = withoutRegion.replace(
    /objects:[\s\S]*/,
    'objects:\n      - objectName: 0x10\n        objectType: ssmparameter\n        filePermission: 0600\n',
  );
  assert.equal(files(await parse(text, { environmentRegion: 'eu-west-1' })), ['16 0600']);
});

for (const [style, objects] of [
  ['a literal block', '|\n      # first\n\n      - objectName: a\n        objectType: bad\n'],
  ['a block with a header', '|2- # comment\n      # first\n\n      - objectName: a\n        objectType: bad'],
  ['a folded block', '>\n      # first\n\n      - objectName: a\n        objectType: bad\n'],
  ['a real list', '\n      # first\n\n      - objectName: a\n        objectType: bad\n'],
] as const) {
  test(`a problem inside ${style} names the line of the file`, async () => {
    const text = withoutRegion.replace(/objects:[\s\S]*/, `objects: ${objects}`);
    assert.equal(problems(await parse(text, { environmentRegion: 'eu-west-1' })), [
      '11 config.object objects[0].objectType',
    ]);
  });
}

test('a problem inside quoted text names its line, or the first line if there are escapes', async () => {
  const lines = withoutRegion.replace(
    /objects:[\s\S]*/,
    "objects: '\n      - {objectName: a,\n      objectType: bad}'",
  );
  assert.equal(problems(await parse(lines, { environmentRegion: 'eu-west-1' })), [
    '9 config.object objects[0].objectType',
  ]);
  const escapes = withoutRegion.replace(/objects:[\s\S]*/, 'objects: "- objectName: a\\n  objectType: bad"');
  assert.equal(problems(await parse(escapes, { environmentRegion: 'eu-west-1' })), [
    '7 config.object objects[0].objectType',
  ]);
});

test('invalid YAML inside of objects names its line', async () => {
  assert.equal(problems(await parse(config('- objectName: a\n- {'))), ['10 config.yaml parameters.objects']);
});

test.run();
