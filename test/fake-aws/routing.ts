/**
 * Which service and operation a request is meant for, derived from the request alone: one server serves all hosts.
 *
 * `GET /v1/credentials` is the agent's, `/latest/…` the instance metadata service's; a header `X-Amz-Target` names an operation of a
 * JSON service; a form or query with an `Action` is STS. Anything else is for no service.
 */

import { agent } from './agent.ts';
import { claimedRegion } from './authentication.ts';
import { instanceMetadata, instanceMetadataOperation } from './instance-metadata.ts';
import { jsonInput } from './json-protocol.ts';
import { parameterStore } from './parameter-store.ts';
import { secretsManager } from './secrets-manager.ts';
import type { HttpRequest, JsonObject, Operation, Service } from './service.ts';
import { queryInput, sts } from './sts.ts';

export interface Call {
  readonly service: Service;
  readonly operation: string;
  /** What carries the operation out; undefined when the service has none of this name. */
  readonly does: Operation | undefined;
  readonly region: string;
  readonly ids: readonly string[];
  /** Undefined when the body is not of the service's protocol. */
  readonly input: JsonObject | undefined;
}

const targets: Readonly<Record<string, Service>> = {
  secretsmanager: secretsManager,
  AmazonSSM: parameterStore,
};

/** The call that a request makes; undefined when it is for no service. */
export function callOf(request: HttpRequest): Call | undefined {
  if (request.path === '/v1/credentials') return call(agent, 'GetCredentials', {}, request);
  const metadata = instanceMetadataOperation(request.method, request.path);
  if (metadata !== undefined) return call(instanceMetadata, metadata, {}, request);
  const target = request.headers['x-amz-target'];
  if (target !== undefined) {
    const dot = target.indexOf('.');
    const service = targets[target.slice(0, dot)];
    return service && call(service, target.slice(dot + 1), jsonInput(request.body), request);
  }
  const input = queryInput(request.method === 'GET' ? request.query : request.body.toString());
  return typeof input.Action === 'string' ? call(sts, input.Action, input, request) : undefined;
}

function call(
  service: Service,
  operation: string,
  input: JsonObject | undefined,
  request: HttpRequest,
): Call {
  const does = Object.hasOwn(service.operations, operation) ? service.operations[operation] : undefined;
  const region = does?.signed === false ? '' : claimedRegion(request);
  return { service, operation, does, region, input, ids: (input && does?.ids(input)) ?? [] };
}
