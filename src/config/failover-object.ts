/**
 * `failoverObject`: what to ask for in the failover region, where that differs from the primary.
 *
 * As in the AWS provider it is checked only if it has an objectName. Its version and label apply all the same; what it
 * leaves out is inherited from the object.
 */

import { quote } from '../core/text.ts';
import type { Diagnostics } from './diagnostics.ts';
import { Fields, type TextField } from './fields.ts';
import type { ObjectContext, ObjectFields, Pin } from './object-keys.ts';
import { checkName } from './object-name.ts';
import type { Service } from './secret-ref.ts';

/** What failoverObject says, as it stands there. */
export interface Failover extends Pin {
  readonly name: string | undefined;
}

/** What is known of the primary. */
interface Primary {
  readonly service: Service | undefined;
  readonly type: TextField | undefined;
  readonly pin: Pin;
}

/** Reads failoverObject; what is wrong with it goes to the findings. */
export function readFailover(object: ObjectFields, primary: Primary, context: ObjectContext): Failover {
  const { findings } = context;
  const subject = `${object.subject}.failoverObject`;
  const keys = ['objectName', 'objectVersion', 'objectVersionLabel'] as const;
  const fields = new Fields(
    object.maps('failoverObject'),
    keys,
    { match: 'anyCase', code: 'config.failover' },
    subject,
    findings,
  );
  const name = fields.text('objectName');
  const failover: Failover = {
    name: name?.text,
    version: fields.text('objectVersion')?.text,
    label: fields.text('objectVersionLabel')?.text,
  };
  if (name === undefined) return failover;
  const refuse = refusal(subject, name.line, findings);
  if (!object.has('objectAlias')) {
    const message = 'expected objectAlias beside failoverObject, got none';
    refuse(message, 'Write objectAlias: it names the file, whichever region delivers.');
  }
  if (context.failoverRegion === undefined) {
    const message = 'expected the parameter failoverRegion beside failoverObject, got none';
    refuse(message, 'Write failoverRegion, or remove failoverObject.');
  }
  const place = {
    subject: `${subject}.objectName`,
    region: context.failoverRegion,
    regionName: 'failoverRegion',
    type: primary.type,
  } as const;
  const service = checkName(name, place, findings);
  if (service !== undefined && primary.service !== undefined && service !== primary.service) {
    findings.warning({
      code: 'config.failover',
      subject: `${subject}.objectName`,
      line: name.line,
      message: `expected a name of ${primary.service}, as the object's, got ${quote(name.text)}`,
      remedy: 'Name a value of the same service: the object decides which one is asked.',
    });
  }
  checkPin(failover, primary, refuse);
  return failover;
}

type Refuse = (message: string, remedy: string) => void;

function refusal(subject: string, line: number, findings: Diagnostics): Refuse {
  return (message, remedy) => findings.error({ code: 'config.failover', subject, line, message, remedy });
}

function checkPin(failover: Pin, primary: Primary, refuse: Refuse): void {
  if (primary.service === 'ssmparameter' && failover.version !== undefined && failover.label !== undefined) {
    const message = 'expected objectVersion or objectVersionLabel for a parameter, got both';
    refuse(message, 'Remove one of the two.');
  }
  if (failover.version !== primary.pin.version) {
    const text = (version: string | undefined) => (version === undefined ? 'none' : quote(version));
    const message = `expected the objectVersion of the object, ${text(primary.pin.version)}, got ${text(failover.version)}`;
    refuse(message, 'Write the same objectVersion in both places, or in neither.');
  }
}
