/**
 * TLS connections that are opened before their first request exists, before the SDK is loaded and the credentials are requested.
 *
 * They save the round trips of the DNS lookup, TCP and TLS. The first request to the same host and port uses the connection, in
 * whatever state it is. A connection that has failed by then is dropped: the request opens its own and reports its failure.
 */

import type http from 'node:http';
import type https from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';

/**
 * Opens a connection for the next request that an agent sends to this host and port; at most one unused connection for each. Calls
 * `begun` when the host is looked up, or when there is no connection to wait for.
 */
export type ConnectEarly = (host: string, port: number, begun: () => void) => void;

/** Extends the agent. An unused connection is closed after the agent's `timeout`. */
export function openEarlyConnections(agent: https.Agent): ConnectEarly {
  const unused = new Map<string, TLSSocket>();
  const create = agent.createConnection.bind(agent) as (options: object, callback?: object) => TLSSocket;
  const keyOf = (host: unknown, port: unknown) => `${host} ${port}`;

  agent.createConnection = (options: http.ClientRequestArgs, callback): Duplex => {
    const key = keyOf(options.host, options.port);
    const socket = unused.get(key);
    if (socket === undefined) return create(options, callback);
    unused.delete(key);
    return socket;
  };

  return (host, port, begun) => {
    const key = keyOf(host, port);
    if (unused.has(key)) {
      begun();
      return;
    }
    const servername = isIP(host) === 0 ? host : '';
    // The same options as Node's agent and request.ts use.
    const socket = create({
      ...agent.options,
      keepAlive: true,
      rejectUnauthorized: true,
      host,
      port,
      servername,
    });
    unused.set(key, socket);
    const drop = (): void => {
      if (unused.get(key) === socket) unused.delete(key);
    };
    states.set(socket, initialState(host));
    socket.once('lookup', (error) => {
      if (!error) states.set(socket, 'connect');
    });
    socket.once('connectionAttempt', begun).once('close', begun);
    socket.once('secureConnect', () => states.set(socket, 'connected'));
    // The request that uses the connection has its own listeners.
    socket.on('error', drop).on('close', drop);
    socket.on('timeout', () => {
      if (unused.get(key) === socket) socket.destroy();
    });
  };
}

/** The state of a connection: DNS lookup, connecting (TCP, TLS), or ready for a request. */
export type ConnectionState = 'lookup' | 'connect' | 'connected';

/** The state of any connection to the host, opened early or not. */
export function connectionState(socket: Socket, host: string): ConnectionState {
  return states.get(socket) ?? (socket.connecting ? initialState(host) : 'connected');
}

const initialState = (host: string): ConnectionState => (isIP(host) === 0 ? 'lookup' : 'connect');

/** The states of early connections: Node does not report whether a lookup or a handshake has ended. */
const states = new WeakMap<Socket, ConnectionState>();
