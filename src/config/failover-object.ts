/**
 * `failoverObject`: the name, version and label in the failover region, if they differ from the primary.
 *
 * As in the AWS provider it is checked only if it has an objectName. Its version and label apply in any case; what it
 * leaves out is inherited from the object.
 */

import type { Service } from '../core/service.ts';
import { quote } from '../core/text.ts';
import type { Diagnostics } from './diagnostics.ts';
import { Fields, type TextField } from './fields.ts';
import { checkName } from './object-name.ts';
import type { VersionPin } from './secret-ref.ts';

/** The keys of failoverObject. */
export interface FailoverObject extends VersionPin {
  readonly name: string | undefined;
}

/** The object's own name and version, for the primary region. */
interface Primary {
  readonly service: Service | undefined;
  readonly type: TextField | undefined;
  readonly pin: VersionPin;
}

interface FailoverContext {
  readonly failoverRegion: string | undefined;
  readonly diagnostics: Diagnostics;
}

const failoverKeys = ['objectName', 'objectVersion', 'objectVersionLabel'] as const;
type FailoverFields = Fields<(typeof failoverKeys)[number]>;

/** Reads and checks failoverObject. */
export function readFailoverObject(
  object: Fields<'failoverObject' | 'objectAlias'>,
  primary: Primary,
  { failoverRegion, diagnostics }: FailoverContext,
): FailoverObject {
  const subject = `${object.subject}.failoverObject`;
  const maps = object.maps('failoverObject');
  const style = { match: 'anyCase', code: 'config.failover' } as const;
  const fields: FailoverFields = new Fields(maps, failoverKeys, style, subject, diagnostics);
  const name = fields.text('objectName');
  const failover: FailoverObject = {
    name: name?.text,
    version: fields.text('objectVersion')?.text,
    label: fields.text('objectVersionLabel')?.text,
  };
  if (name === undefined) return failover;
  const error = (message: string, remedy: string) =>
    diagnostics.error('config.failover', subject, { line: name.line, message, remedy });
  if (!object.has('objectAlias')) {
    const message = 'expected objectAlias for failoverObject, got none';
    error(message, 'Write objectAlias: it names the file, whichever region its value comes from.');
  }
  if (failoverRegion === undefined) {
    const message = 'expected the parameter failoverRegion for failoverObject, got none';
    error(message, 'Write failoverRegion, or remove failoverObject.');
  }
  const nameContext = {
    subject: `${subject}.objectName`,
    region: failoverRegion,
    regionKey: 'failoverRegion',
    type: primary.type,
  } as const;
  const service = checkName(name, nameContext, diagnostics);
  if (service !== undefined && primary.service !== undefined && service !== primary.service) {
    const message = `expected a name of ${primary.service}, the service of the object, got ${quote(name.text)}`;
    fields.warning(
      'objectName',
      message,
      'Name a value of the same service: both regions are fetched from the service of the object.',
    );
  }
  checkPin(failover, primary, error);
  return failover;
}

function checkPin(
  failover: VersionPin,
  primary: Primary,
  error: (message: string, remedy: string) => void,
): void {
  if (primary.service === 'ssmparameter' && failover.version !== undefined && failover.label !== undefined) {
    const message = 'expected objectVersion or objectVersionLabel for a parameter, got both';
    error(message, 'Remove one of the two.');
  }
  if (failover.version !== primary.pin.version) {
    const text = (version: string | undefined) => (version === undefined ? 'none' : quote(version));
    const message = `expected the same objectVersion as in the object (${text(primary.pin.version)}), got ${text(failover.version)}`;
    error(message, 'Write the same objectVersion in both places, or in neither.');
  }
}
