/**
 * TLS connections that are opened before their first request exists, while the credentials to sign it are on their way.
 *
 * They save the round trips of the DNS lookup, TCP and TLS. The first request to the same host and port takes the connection
 * in whatever state it is. One that failed by then is forgotten: the request opens its own, and reports why that fails.
 */

import type http from 'node:http';
import type https from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';

/** Opens a connection for the next request that an agent sends to this host and port; at most one waits for each. */
export type ConnectEarly = (host: string, port: number) => void;

/** Extends the agent. A connection that no request takes is closed after the `timeout` of the agent. */
export function openEarlyConnections(agent: https.Agent): ConnectEarly {
  const waiting = new Map<string, TLSSocket>();
  const create = agent.createConnection.bind(agent) as (options: object, callback?: object) => TLSSocket;
  const keyOf = (host: unknown, port: unknown) => `${host} ${port}`;

  agent.createConnection = (options: http.ClientRequestArgs, callback): Duplex => {
    const key = keyOf(options.host, options.port);
    const socket = waiting.get(key);
    if (socket === undefined) return create(options, callback);
    waiting.delete(key);
    return socket;
  };

  return (host, port) => {
    const key = keyOf(host, port);
    if (waiting.has(key)) return;
    const servername = isIP(host) === 0 ? host : '';
    // As Node's agent and request.ts connect.
    const socket = create({
      ...agent.options,
      keepAlive: true,
      rejectUnauthorized: true,
      host,
      port,
      servername,
    });
    waiting.set(key, socket);
    const forget = (): void => {
      if (waiting.get(key) === socket) waiting.delete(key);
    };
    states.set(socket, initialState(host));
    socket.once('lookup', (error) => {
      if (!error) states.set(socket, 'connect');
    });
    socket.once('secureConnect', () => states.set(socket, 'connected'));
    // The request that takes the connection has its own listeners.
    socket.on('error', forget).on('close', forget);
    socket.on('timeout', () => {
      if (waiting.get(key) === socket) socket.destroy();
    });
  };
}

/** How far a connection got: at its DNS lookup, connecting (TCP, TLS), or ready for a request. */
export type ConnectionState = 'lookup' | 'connect' | 'connected';

/** The state of any connection to the host, opened early or not. */
export function connectionState(socket: Socket, host: string): ConnectionState {
  return states.get(socket) ?? (socket.connecting ? initialState(host) : 'connected');
}

const initialState = (host: string): ConnectionState => (isIP(host) === 0 ? 'lookup' : 'connect');

/** Of early connections: Node does not show whether a lookup or a handshake has ended. */
const states = new WeakMap<Socket, ConnectionState>();
