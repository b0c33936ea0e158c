/**
 * The AWS provider's semantics, one case or more for each point that its README does not explain, and for each of its defects
 * that a config can show. The numbers are those of the points: 1-13 what must be alike, D what must not.
 */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ParsedPlan } from '../../src/config/parse.ts';
import { config, files, parse, problems, reads, warnings } from '../support/config.ts';

interface Case {
  readonly name: string;
  readonly objects: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly reads?: readonly string[];
  readonly problems?: readonly string[];
  readonly warnings?: readonly string[];
  /** Of the problems. */
  readonly remedies?: readonly string[];
}

const failover = { failoverRegion: 'eu-central-1' };
const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf';
const otherArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-AbCdEf';

const cases: readonly Case[] = [
  {
    name: '1: keys match in any case, down to jmesPath and failoverObject',
    objects: `
      - OBJECTNAME: db
        objecttype: secretsmanager
        ObjectAlias: file
        JmesPath:
          - Path: user
            ObjectAlias: user
        FailOverObject: {ObjectName: other}`,
    parameters: failover,
    files: ['file 0644', 'user 0644'],
    reads: ['secretsmanager eu-west-1 db', 'secretsmanager eu-central-1 other'],
  },
  {
    name: '1: of two spellings of a key the last in the order of bytes counts',
    objects: '- {objectname: last, objectName: middle, OBJECTNAME: first, objectType: secretsmanager}',
    files: ['last 0644'],
    warnings: ['9 config.duplicate objects[0].objectName', '9 config.duplicate objects[0].objectName'],
  },
  {
    name: '1: a null does not write over another spelling of its key',
    objects: '- {objectName: kept, objectname: null, objectType: secretsmanager}',
    files: ['kept 0644'],
  },
  {
    name: '1: unknown keys are ignored, with a warning',
    objects: `
      - objectName: db
        objectType: secretsmanager
        objectAlais: file`,
    files: ['db 0644'],
    warnings: ['11 config.unknownKey objects[0]'],
  },
  {
    name: '1: the last of two equal keys counts, with a warning',
    objects: `
      - objectName: first
        objectType: secretsmanager
        objectName: last`,
    files: ['last 0644'],
    warnings: ['11 config.duplicate objects[0].objectName'],
  },
  {
    name: '1: only the first document counts, even if the next one is not YAML',
    objects: `
      - objectName: db
        objectType: secretsmanager
      ---
      - {`,
    files: ['db 0644'],
    warnings: ['11 config.objects parameters.objects'],
  },
  {
    name: '1: objectType is case-sensitive',
    objects: '- {objectName: db, objectType: SecretsManager}',
    problems: ['9 config.object objects[0].objectType'],
  },
  {
    name: '1: ARN is no arn',
    objects: '- {objectName: ARN:aws:secretsmanager:eu-west-1:1:secret:db}',
    problems: ['9 config.object objects[0].objectName'],
  },
  {
    name: '2: numbers and booleans become text',
    objects: `
      - {objectName: yes, objectType: secretsmanager}
      - {objectName: 0x1F, objectType: secretsmanager}
      - {objectName: 1.10, objectType: secretsmanager}
      - {objectName: db, objectAlias: 1:30, objectType: secretsmanager}
      - {objectName: 2026-01-31, objectType: secretsmanager}
      - {objectName: 1e6, objectType: secretsmanager}
      - {objectName: "1.10", objectType: secretsmanager}`,
    files: ['true', '31', '1.1', '1:30', '2026-01-31', '1e+06', '1.10'].map((path) => `${path} 0644`),
  },
  {
    name: '2: unquoted text that YAML changes is a warning',
    objects: '- {objectName: db, objectType: secretsmanager, objectAlias: y}',
    files: ['true 0644'],
    warnings: ['9 config.object objects[0].objectAlias'],
  },
  {
    name: '2: filePermission is taken as written without quotes, which the provider rejects',
    objects: '- {objectName: db, objectType: secretsmanager, filePermission: 0600}',
    files: ['db 0600'],
  },
  {
    name: '2: what YAML makes of another filePermission must be four octal digits',
    objects: `
      - {objectName: a, objectType: secretsmanager, filePermission: 02734}
      - {objectName: b, objectType: secretsmanager, filePermission: 644}`,
    problems: ['10 config.object objects[1].filePermission'],
  },
  {
    name: '2: three digits suggest four',
    objects: `
      - {objectName: a, objectType: secretsmanager, filePermission: "600"}
      - {objectName: b, objectType: secretsmanager, filePermission: "0o640"}`,
    problems: ['9 config.object objects[0].filePermission', '10 config.object objects[1].filePermission'],
    remedies: ['Write filePermission: "0600".', 'Write filePermission: "0640".'],
  },
  {
    name: '2: a mode that does not let the owner read is rejected, because the next sync could not compare the file',
    objects: `
      - {objectName: a, objectType: secretsmanager, filePermission: "0044"}
      - {objectName: b, objectType: secretsmanager, jmesPath: [{path: x, objectAlias: x, filePermission: "0200"}]}`,
    problems: [
      '9 config.object objects[0].filePermission',
      '10 config.jmesPath objects[1].jmesPath[0].filePermission',
    ],
    remedies: ['Write filePermission: "0444".', 'Write filePermission: "0600".'],
  },
  {
    name: '2: a version id of Secrets Manager has 32 to 64 characters',
    objects: `
      - {objectName: a, objectType: secretsmanager, objectVersion: AWSPREVIOUS}
      - {objectName: b, objectType: secretsmanager, objectVersion: 11111111-1111-4111-8111-111111111111}
      - {objectName: c, objectType: ssmparameter, objectVersion: 3}`,
    files: ['a 0644', 'b 0644', 'c 0644'],
    warnings: ['9 config.object objects[0].objectVersion'],
  },
  {
    name: '2: names with characters that AWS does not allow are rejected, with what is most likely meant',
    objects: `
      - {objectName: "<secret>", objectType: secretsmanager}
      - {objectName: "app/*", objectType: ssmparameter}
      - {objectName: "my secret", objectType: secretsmanager}
      - {objectName: "arn:aws:secretsmanager:REGION:ACCOUNT:secret:a"}
      - {objectName: "arn:aws:secretsmanager:eu-west-1:1:secret:a-bcdefg:password::", objectAlias: a}
      - {objectName: "arn:aws:secretsmanager:eu-west-1:1:secret:a-bcdefg::AWSPREVIOUS:id", objectAlias: b}
      - {objectName: "rds!cluster-1", objectType: secretsmanager}`,
    problems: [0, 1, 2, 3, 4, 5].map((at) => `${at + 9} config.object objects[${at}].objectName`),
    remedies: [
      'Replace the placeholder: render the file first (helm template, envsubst).',
      'Name each secret or parameter: wildcards are not supported.',
      'Correct the name: names are letters, digits and / _ . - (in Secrets Manager also + = @).',
      'Copy the ARN of your own secret or parameter, or write its name instead.',
      'Write objectName: "arn:aws:secretsmanager:eu-west-1:1:secret:a-bcdefg", jmesPath with path: "password": a key, a stage and a version id behind the ARN are the form of ECS.',
      'Write objectName: "arn:aws:secretsmanager:eu-west-1:1:secret:a-bcdefg", objectVersionLabel: "AWSPREVIOUS", objectVersion: "id": a key, a stage and a version id behind the ARN are the form of ECS.',
    ],
  },
  {
    name: '2: a colon before the path of a parameter is not the beginning of a version',
    objects: `
      - {objectName: "ssm:/a/b", objectType: ssmparameter}
      - {objectName: "arn:aws:ssm:eu-west-1:1:parameter:/c/d"}`,
    problems: ['9 config.object objects[0].objectName', '10 config.object objects[1].objectName'],
    remedies: ['Write objectName: "/a/b".', 'Write objectName: "arn:aws:ssm:eu-west-1:1:parameter/c/d".'],
  },
  {
    name: '3: a null entry is an error',
    objects: `
      - objectName: db
        objectType: secretsmanager
      -`,
    problems: ['11 config.object objects[1]'],
  },
  {
    name: '4: slashes become _ by default, in names, aliases and jmesPath aliases',
    objects: `
      - {objectName: /a/b, objectType: ssmparameter}
      - {objectName: c, objectType: ssmparameter, objectAlias: /d/e, jmesPath: [{path: f, objectAlias: g/h}]}`,
    files: ['_a_b 0644', '_d_e 0644', 'g_h 0644'],
  },
  {
    name: '4: pathTranslation False leaves slashes and strips all leading ones',
    objects: `
      - {objectName: ///a/b, objectType: ssmparameter}
      - {objectName: c, objectType: ssmparameter, objectAlias: /d/e, jmesPath: [{path: f, objectAlias: //g/h}]}`,
    parameters: { pathTranslation: '"fALSE"' },
    files: ['a/b 0644', 'd/e 0644', 'g/h 0644'],
  },
  {
    name: '4: pathTranslation is any one byte',
    objects: '- {objectName: /a/b, objectType: ssmparameter}',
    parameters: { pathTranslation: '"-"' },
    files: ['-a-b 0644'],
  },
  {
    name: '4: pathTranslation may be a slash',
    objects: '- {objectName: a/b, objectType: ssmparameter}',
    parameters: { pathTranslation: '"/"' },
    files: ['a/b 0644'],
  },
  {
    name: '4: pathTranslation of two bytes is rejected, be it one character',
    objects: '- {objectName: a, objectType: ssmparameter}',
    parameters: { pathTranslation: 'é' },
    problems: ['8 config.parameter parameters.pathTranslation'],
  },
  {
    name: '5: failoverRegion must differ from region',
    objects: '- {objectName: a, objectType: ssmparameter}',
    parameters: { failoverRegion: 'eu-west-1' },
    problems: ['8 config.region parameters.failoverRegion'],
  },
  {
    name: '6: a name must be there',
    objects: `
      - {objectType: secretsmanager}
      - {objectName: "", objectType: secretsmanager}
      - {}`,
    problems: [9, 10, 11].map((line, index) => `${line} config.object objects[${index}].objectName`),
  },
  {
    name: '6: an ARN needs six sections',
    objects: '- {objectName: "arn:aws:secretsmanager"}',
    problems: ['9 config.object objects[0].objectName'],
  },
  {
    name: "6: an ARN's region must be that of the config, and not be empty",
    objects: `
      - {objectName: "${otherArn}"}
      - {objectName: "arn:aws:secretsmanager::1:secret:db"}`,
    problems: ['9 config.object objects[0].objectName', '10 config.object objects[1].objectName'],
  },
  {
    name: '6: objectType is needed without an ARN',
    objects: '- {objectName: db}',
    problems: ['9 config.object objects[0].objectName'],
  },
  {
    name: '6: objectType is not needed with an ARN, of either service',
    objects: `
      - {objectName: "${arn}", objectAlias: a}
      - {objectName: "arn:aws:ssm:eu-west-1:1:parameter/p", objectAlias: b}`,
    reads: [`secretsmanager eu-west-1 ${arn}`, 'ssmparameter eu-west-1 arn:aws:ssm:eu-west-1:1:parameter/p'],
  },
  {
    name: '6: an ARN of another service is rejected',
    objects: '- {objectName: "arn:aws:sts:eu-west-1:1:x"}',
    problems: ['9 config.object objects[0].objectName'],
  },
  {
    name: '6: ssm is not an objectType',
    objects: '- {objectName: p, objectType: ssm}',
    problems: ['9 config.object objects[0].objectType'],
  },
  {
    name: '6: objectType and ARN must agree',
    objects: `- {objectName: "${arn}", objectType: ssmparameter}`,
    problems: ['9 config.object objects[0].objectName'],
  },
  {
    name: '6: a parameter has a version or a label, a secret may have both',
    objects: `
      - {objectName: p, objectType: ssmparameter, objectVersion: 3, objectVersionLabel: prod}
      - {objectName: s, objectType: secretsmanager, objectVersion: v, objectVersionLabel: AWSPREVIOUS}`,
    problems: ['9 config.object objects[0]'],
  },
  {
    name: '6: traversal is rejected',
    objects: `
      - {objectName: ../a, objectType: ssmparameter}
      - {objectName: a/../b, objectType: ssmparameter}
      - {objectName: a/.., objectType: ssmparameter}`,
    parameters: { pathTranslation: '"False"' },
    problems: [10, 11, 12].map((line, index) => `${line} config.path objects[${index}].objectName`),
  },
  {
    name: '6: two dots that are no segment are allowed inside of a path',
    objects: `
      - {objectName: a/..b, objectType: ssmparameter}
      - {objectName: c../d, objectType: ssmparameter}`,
    parameters: { pathTranslation: '"False"' },
    files: ['a/..b 0644', 'c../d 0644'],
  },
  {
    name: '6: a jmesPath entry needs path and objectAlias, and a null one has neither',
    objects: `
      - objectName: db
        objectType: secretsmanager
        jmesPath:
          - {path: user}
          - {objectAlias: b}
          -`,
    problems: [
      '12 config.jmesPath objects[0].jmesPath[0]',
      '13 config.jmesPath objects[0].jmesPath[1]',
      '14 config.jmesPath objects[0].jmesPath[2]',
    ],
  },
  {
    name: '6: keys of the wrong kind are rejected',
    objects: `
      - objectName: [db]
        objectType: secretsmanager
        jmesPath: user
        failoverObject: []`,
    problems: [
      '9 config.object objects[0].objectName',
      '9 config.object objects[0].objectName',
      '11 config.object objects[0].jmesPath',
      '12 config.object objects[0].failoverObject',
    ],
  },
  {
    name: '7: one name twice is rejected with equal aliases or none, whatever its type and version',
    objects: `
      - {objectName: a, objectType: secretsmanager}
      - {objectName: a, objectType: ssmparameter, objectVersion: 3}
      - {objectName: b, objectType: secretsmanager, objectAlias: c}
      - {objectName: b, objectType: secretsmanager, objectAlias: c}`,
    problems: ['10 config.duplicate objects[1].objectName', '12 config.duplicate objects[3].objectAlias'],
  },
  {
    name: '7: one name twice with different aliases is two files of one value',
    objects: `
      - {objectName: a, objectType: ssmparameter, objectAlias: b}
      - {objectName: a, objectType: ssmparameter, objectAlias: c}`,
    files: ['b 0644', 'c 0644'],
    reads: ['ssmparameter eu-west-1 a'],
  },
  {
    name: '7: aliases are unique, those of jmesPath included',
    objects: `
      - {objectName: a, objectType: ssmparameter, objectAlias: c}
      - {objectName: b, objectType: ssmparameter, objectAlias: c}
      - {objectName: d, objectType: ssmparameter, jmesPath: [{path: e, objectAlias: c}]}`,
    problems: [
      '10 config.duplicate objects[1].objectAlias',
      '11 config.duplicate objects[2].jmesPath[0].objectAlias',
    ],
  },
  {
    name: '8: failoverObject needs objectAlias and failoverRegion',
    objects: '- {objectName: a, objectType: ssmparameter, failoverObject: {objectName: b}}',
    problems: ['9 config.failover objects[0].failoverObject', '9 config.failover objects[0].failoverObject'],
  },
  {
    name: '8: without objectName failoverObject is not checked',
    objects: `
      - {objectName: a, objectType: ssmparameter, failoverObject: {objectVersion: 3}}
      - {objectName: b, objectType: ssmparameter, failoverObject: {}}
      - {objectName: c, objectType: ssmparameter, failoverObject: }`,
    files: ['a 0644', 'b 0644', 'c 0644'],
  },
  {
    name: '8: both objectVersions must be equal, even when the primary has none',
    objects: `
      - {objectName: a, objectType: secretsmanager, objectAlias: a, failoverObject: {objectName: b, objectVersion: v}}
      - {objectName: c, objectType: secretsmanager, objectAlias: c, objectVersion: v, failoverObject: {objectName: d}}`,
    parameters: failover,
    problems: [
      '10 config.failover objects[0].failoverObject',
      '11 config.failover objects[1].failoverObject',
    ],
  },
  {
    name: "8: failoverObject's ARN must be of the failover region, and needs objectType with a name",
    objects: `
      - {objectName: "${arn}", objectAlias: a, failoverObject: {objectName: "${arn}"}}
      - {objectName: "${arn}", objectAlias: b, failoverObject: {objectName: db}}`,
    parameters: failover,
    problems: [
      '10 config.object objects[0].failoverObject.objectName',
      '11 config.object objects[1].failoverObject.objectName',
    ],
  },
  {
    name: '8: version and label of failoverObject apply there, what it leaves out is inherited',
    objects: `
      - {objectName: a, objectType: secretsmanager, objectVersionLabel: one, failoverObject: {objectVersionLabel: two}}
      - {objectName: b, objectType: secretsmanager, objectVersionLabel: one, objectAlias: b, failoverObject: {objectName: c}}
      - {objectName: d, objectType: secretsmanager, failoverObject: {objectVersion: v}}`,
    parameters: failover,
    reads: [
      'secretsmanager eu-west-1 a l=one',
      'secretsmanager eu-central-1 a l=two',
      'secretsmanager eu-west-1 b l=one',
      'secretsmanager eu-central-1 c l=one',
      'secretsmanager eu-west-1 d',
      'secretsmanager eu-central-1 d v=v',
    ],
  },
  {
    name: '9: the whole value is always written with its jmesPath files',
    objects: '- {objectName: db, objectType: secretsmanager, jmesPath: [{path: user, objectAlias: user}]}',
    files: ['db 0644', 'user 0644'],
  },
  {
    name: "10: a jmesPath file has its own mode, or its parent's, or the default",
    objects: `
      - objectName: a
        objectType: secretsmanager
        filePermission: "0600"
        jmesPath:
          - {path: x, objectAlias: ax, filePermission: "0440"}
          - {path: y, objectAlias: ay}
      - objectName: b
        objectType: secretsmanager
        jmesPath: [{path: x, objectAlias: bx}]`,
    files: ['a 0600', 'ax 0440', 'ay 0600', 'b 0644', 'bx 0644'],
  },
  {
    name: '10: a mode has four octal digits; the set-id bits are accepted, with a warning',
    objects: `
      - {objectName: a, objectType: secretsmanager, filePermission: "4755"}
      - {objectName: b, objectType: secretsmanager, filePermission: ""}`,
    files: ['a 4755', 'b 0644'],
    warnings: ['9 config.object objects[0].filePermission'],
  },
  {
    name: '10: other modes are rejected',
    objects: ['644', '00644', 'abcd', '0648', '-644', 'yes']
      .map(
        (mode, index) => `- {objectName: o${index}, objectType: secretsmanager, filePermission: "${mode}"}`,
      )
      .join('\n'),
    problems: [0, 1, 2, 3, 4, 5].map((n) => `${9 + n} config.object objects[${n}].filePermission`),
  },
  {
    name: '11: with failoverRegion each value is fetched in both regions',
    objects: '- {objectName: a, objectType: ssmparameter}',
    parameters: failover,
    reads: ['ssmparameter eu-west-1 a', 'ssmparameter eu-central-1 a'],
  },
  {
    name: '12: a parameter is fetched by its version, or else its label',
    objects: `
      - {objectName: a, objectType: ssmparameter, objectVersion: 3}
      - {objectName: b, objectType: ssmparameter, objectVersionLabel: prod}
      - {objectName: c, objectType: ssmparameter, objectVersion: 3, failoverObject: {objectVersionLabel: prod}}`,
    parameters: failover,
    reads: [
      'ssmparameter eu-west-1 a v=3',
      'ssmparameter eu-central-1 a v=3',
      'ssmparameter eu-west-1 b l=prod',
      'ssmparameter eu-central-1 b l=prod',
      'ssmparameter eu-west-1 c v=3',
      'ssmparameter eu-central-1 c v=3',
    ],
  },
  {
    name: '12: a version of a parameter that is no number is a label, with a warning',
    objects: '- {objectName: a, objectType: ssmparameter, objectVersion: prod}',
    reads: ['ssmparameter eu-west-1 a v=prod'],
    warnings: ['9 config.object objects[0].objectVersion'],
  },
  {
    name: '13: a secret is fetched by version and label',
    objects: '- {objectName: a, objectType: secretsmanager, objectVersion: v, objectVersionLabel: l}',
    reads: ['secretsmanager eu-west-1 a v=v l=l'],
  },
  {
    name: 'D: a wrong jmesPath expression shows in the config, not as a failed fetch',
    objects: `
      - objectName: a
        objectType: secretsmanager
        jmesPath:
          - {path: db-user, objectAlias: b}
          - {path: "user.", objectAlias: c}`,
    problems: ['12 config.jmesPath objects[0].jmesPath[0]', '13 config.jmesPath objects[0].jmesPath[1]'],
  },
  {
    name: 'D: a function that JMESPath does not have is a warning, because it may never be evaluated',
    objects: `
      - objectName: a
        objectType: secretsmanager
        jmesPath:
          - {path: user || lower(name), objectAlias: b}
          - {path: keys(), objectAlias: c}`,
    files: ['a 0644', 'b 0644', 'c 0644'],
    warnings: ['12 config.jmesPath objects[0].jmesPath[0]', '13 config.jmesPath objects[0].jmesPath[1]'],
  },
  {
    name: 'D: two labels of one parameter are two reads',
    objects: `
      - {objectName: a, objectType: ssmparameter, objectVersionLabel: one, objectAlias: b}
      - {objectName: a, objectType: ssmparameter, objectVersionLabel: two, objectAlias: c}`,
    reads: ['ssmparameter eu-west-1 a l=one', 'ssmparameter eu-west-1 a l=two'],
  },
  {
    name: "D: a selector in a parameter's name is rejected, in ARNs and failoverObject too",
    objects: `
      - {objectName: "/a/b:3", objectType: ssmparameter}
      - {objectName: "arn:aws:ssm:eu-west-1:1:parameter/p:prod"}
      - {objectName: "/c:", objectType: ssmparameter, objectAlias: c, failoverObject: {objectName: "/d:4"}}`,
    parameters: failover,
    problems: [
      '10 config.object objects[0].objectName',
      '11 config.object objects[1].objectName',
      '12 config.object objects[2].objectName',
      '12 config.object objects[2].failoverObject.objectName',
    ],
  },
  {
    name: 'D: names that give one path are rejected: alias and name, translated names, labels without alias',
    objects: `
      - {objectName: a, objectType: ssmparameter}
      - {objectName: b, objectType: ssmparameter, objectAlias: a}
      - {objectName: x/y, objectType: ssmparameter}
      - {objectName: x_y, objectType: ssmparameter}
      - {objectName: l, objectType: ssmparameter, objectVersionLabel: one}
      - {objectName: l, objectType: ssmparameter, objectVersionLabel: two}
      - {objectName: j, objectType: ssmparameter, jmesPath: [{path: k, objectAlias: j}]}`,
    problems: [
      '10 config.duplicate objects[1].objectAlias',
      '12 config.path objects[3].objectName',
      '14 config.duplicate objects[5].objectName',
      '15 config.duplicate objects[6].jmesPath[0].objectAlias',
    ],
  },
  {
    name: 'D: a file below another file is rejected, whichever comes first',
    objects: `
      - {objectName: a/b, objectType: ssmparameter}
      - {objectName: a, objectType: ssmparameter}
      - {objectName: c, objectType: ssmparameter}
      - {objectName: d, objectType: ssmparameter, objectAlias: c/d/e}`,
    parameters: { pathTranslation: '"False"' },
    problems: ['10 config.path objects[0].objectName', '13 config.path objects[3].objectAlias'],
  },
  {
    name: 'D: `..`, reserved names and jmesPath aliases do not escape the check of paths',
    objects: `
      - {objectName: .., objectType: ssmparameter}
      - {objectName: ..data, objectType: ssmparameter}
      - {objectName: a, objectType: ssmparameter, jmesPath: [{path: x, objectAlias: ../b}]}
      - {objectName: /, objectType: ssmparameter}
      - {objectName: ., objectType: ssmparameter}
      - {objectName: b, objectAlias: "a\\0b", objectType: ssmparameter}`,
    parameters: { pathTranslation: '"False"' },
    problems: [
      '10 config.path objects[0].objectName',
      '11 config.path objects[1].objectName',
      '12 config.path objects[2].jmesPath[0].objectAlias',
      '13 config.path objects[3].objectName',
      '14 config.path objects[4].objectName',
      '15 config.path objects[5].objectAlias',
    ],
  },
  {
    name: 'D: a path that stays absolute is rejected',
    objects: '- {objectName: /a/b, objectType: ssmparameter}',
    parameters: { pathTranslation: '"/"' },
    problems: ['10 config.path objects[0].objectName'],
  },
  {
    name: 'D: an ARN of an unknown service does not pass with ssmparameter',
    objects: '- {objectName: "arn:aws:sts:eu-west-1:1:x", objectType: ssmparameter}',
    problems: ['9 config.object objects[0].objectName'],
  },
  {
    name: 'D: names with slashes work, and so do segments of 255 bytes but not of 256',
    objects: `
      - {objectName: deep/down/below, objectType: ssmparameter}
      - {objectName: ${'n'.repeat(255)}, objectType: ssmparameter}
      - {objectName: a, objectAlias: ${'é'.repeat(128)}, objectType: ssmparameter}`,
    parameters: { pathTranslation: '"False"' },
    problems: ['12 config.path objects[2].objectAlias'],
  },
  {
    name: 'D: an ARN of the primary region is rewritten for the failover region, with a warning',
    objects: `- {objectName: "${arn}", objectAlias: db}`,
    parameters: failover,
    reads: [`secretsmanager eu-west-1 ${arn}`, `secretsmanager eu-central-1 ${otherArn}`],
    warnings: ['10 config.failover objects[0].objectName'],
  },
  {
    name: 'D: an ARN is not rewritten when failoverObject names one',
    objects: `- {objectName: "${arn}", objectAlias: db, failoverObject: {objectName: "${otherArn}2"}}`,
    parameters: failover,
    reads: [`secretsmanager eu-west-1 ${arn}`, `secretsmanager eu-central-1 ${otherArn}2`],
    warnings: [],
  },
];

const remedies = (parsed: ParsedPlan) => parsed.problems.map(({ remedy }) => remedy);

for (const { name, objects, parameters, ...expected } of cases) {
  test(name, async () => {
    const parsed = await parse(config(objects, parameters));
    const found = { files, reads, problems, warnings, remedies };
    for (const [key, value] of Object.entries(expected)) {
      assert.equal(found[key as keyof typeof found](parsed), value, key);
    }
    // A case without expected problems must have none.
    if (expected.problems === undefined) assert.equal(problems(parsed), []);
  });
}

test.run();
