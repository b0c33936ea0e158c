/**
 * `npm run demo`: the main job in one screen, on the embedded fake AWS.
 *
 * The fake AWS, podsecrets and the application are separate processes, and the directory is a real tmpfs. Of a file the name,
 * mode, size and version are shown, never the value.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { parse } from 'yaml';
import { startFakeAwsProcess } from '../../test/fake-aws/client.ts';
import { run, start } from '../../test/support/program.ts';
import { makeSandbox, podIdentityEnv } from '../../test/support/sandbox.ts';

const colours =
  process.env.FORCE_COLOR === '1' || (process.stdout.isTTY && process.env.NO_COLOR === undefined);
const paint = (code: number) => (text: string) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
const [bold, dim, green, cyan] = [paint(1), paint(2), paint(32), paint(36)];
const print = (line = '') => process.stdout.write(`${line}\n`);
const step = (text: string) => print(`\n${bold(cyan(`▸ ${text}`))}`);
const command = (text: string) => print(`  ${dim('$')} ${bold(text)}`);

const region = 'eu-west-1';
const parameters = `\
usePodIdentity: "true"
objects:
  - objectName: shop/db
    objectType: secretsmanager
    objectAlias: db.json
    jmesPath:
      - { path: username, objectAlias: db-user }
      - { path: password, objectAlias: db-password, filePermission: "0400" }
  - objectName: /shop/api-key
    objectType: ssmparameter
    objectAlias: api-key`;
const aws = await startFakeAwsProcess({
  identities: {
    app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['a-projected-token'] },
  },
  regions: {
    [region]: {
      secrets: {
        'shop/db': { json: { username: 'shop', password: 'correct horse', port: 5432 } },
      },
      parameters: { '/shop/api-key': 'k-1' },
    },
  },
});
const box = makeSandbox();
const app = startApplication();
try {
  // A signal before the handler is installed would end it.
  await nextLineOf(app);
  await showInit();
  await showSidecar();
} finally {
  app.kill('SIGKILL');
  await aws.stop();
  box.remove();
}

async function showInit(): Promise<void> {
  step('A SecretProviderClass, as the CSI driver takes it');
  for (const line of parameters.split('\n')) print(`  ${dim(line)}`);
  box.writeConfig({ region, ...(parse(parameters) as Record<string, unknown>) });

  step('init: authenticate with EKS Pod Identity, fetch, publish, exit');
  command('podsecrets init --config config.yaml --dir /mnt/podsecrets/files');
  const began = performance.now();
  const { code, stderr } = await run(
    ['init', '--config', box.config, '--dir', box.dir, '--log-format', 'text'],
    podIdentityEnv(box, aws, 'a-projected-token'),
  );
  const took = performance.now() - began;
  for (const line of stderr.trimEnd().split('\n')) print(`  ${dim(withoutEvent(shortened(line)))}`);
  if (code !== 0) throw new Error(`init ended with ${code}`);
  print();
  showFiles();
  await showCalls(`exit code 0 after ${took.toFixed(0)} ms`);
}

async function showSidecar(): Promise<void> {
  step('sidecar: keep the files up to date, and signal the application');
  command('podsecrets sidecar --interval 1s --notify-signal SIGHUP --notify-pid-file app.pid');
  const pidFile = box.write('app.pid', String(app.pid));
  const sidecar = start(
    [
      'sidecar',
      '--config',
      box.config,
      '--dir',
      box.dir,
      '--interval',
      '1s',
      '--listen',
      '127.0.0.1:0',
      '--notify-signal',
      'SIGHUP',
      '--notify-pid-file',
      pidFile,
      '--log-format',
      'text',
    ],
    podIdentityEnv(box, aws, 'a-projected-token'),
  );
  await sidecar.prints(/publish\.verified/);
  const before = versions();
  const began = performance.now();
  print(`  ${dim('rotating shop/db in Secrets Manager …')}`);
  const reloaded = nextLineOf(app);
  await aws.putSecret({
    region,
    name: 'shop/db',
    json: { username: 'shop', password: 'battery staple', port: 5432 },
  });
  const line = await reloaded;
  print(
    `  ${green('✔')} the application ${line} ${dim(`${(performance.now() - began).toFixed(0)} ms after the rotation`)}`,
  );
  const after = Object.entries(versions());
  const names = (changed: boolean) =>
    after
      .filter(([name, version]) => (before[name] !== version) === changed)
      .map(([name]) => name)
      .join(', ');
  print(`  ${green('✔')} changed: ${names(true)}; as before: ${names(false)}`);
  print();
  command('podsecrets status');
  const { stdout } = await run(['status', '--listen', listenAddress(sidecar.stderr())]);
  for (const line of stdout.trimEnd().split('\n')) print(`  ${dim(shortened(line))}`.trimEnd());
  print();
  sidecar.child.kill('SIGTERM');
  const ending = performance.now();
  const { code } = await sidecar.ended();
  await showCalls(`SIGTERM: exit code ${code} after ${(performance.now() - ending).toFixed(0)} ms`);
}

/** An application in its own process group that reads its password again at SIGHUP. */
function startApplication(): ChildProcess {
  const program = `
    process.on('SIGHUP', () => console.log('got SIGHUP and read db-password again'));
    setInterval(() => {}, 60000);
    console.log('ready');`;
  return spawn(process.execPath, ['-e', program], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The next line that the application prints, within 30 s. */
async function nextLineOf({ stdout }: ChildProcess): Promise<string> {
  const signal = AbortSignal.timeout(30_000);
  const [said] = (await once(stdout as NodeJS.ReadableStream, 'data', { signal })) as [Buffer];
  return said.toString().trim();
}

function showFiles(): void {
  for (const [name] of Object.entries(versions())) {
    const path = join(box.dir, name);
    const { mode, size } = statSync(path);
    print(
      `  ${(mode & 0o777).toString(8).padStart(4, '0')}  ${String(size).padStart(4)} bytes  ${name.padEnd(12)} ${dim(`-> ${readlinkSync(path)}`)}`,
    );
  }
  if (lstatSync(join(box.dir, '..data')).isSymbolicLink())
    print(
      `  ${dim(`..data -> ${readlinkSync(join(box.dir, '..data'))}: one link, so all files change at once`)}`,
    );
}

/** The content of each file, to compare and never to show. */
function versions(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.keys(box.files()).map((name) => [name, readFileSync(join(box.dir, name), 'utf8')]),
  );
}

async function showCalls(what: string): Promise<void> {
  const counts = Map.groupBy(await aws.calls(), ({ operation }) => operation);
  const list = [...counts].map(([operation, calls]) => `${calls.length} ${operation}`).join(', ');
  print(`  ${green('✔')} ${what}; API calls: ${list}`);
  await aws.clearCalls();
}

function listenAddress(log: string): string {
  return /listen=(\S+)/.exec(stripVTControlCharacters(log))?.[1] ?? '';
}

/** Text of the program with the paths that a pod has. */
function shortened(line: string): string {
  return line.replaceAll(box.dir, '/mnt/podsecrets/files').replaceAll(box.config, 'config.yaml');
}

/** A log line without the date and the fields, which would not fit on the screen. */
function withoutEvent(line: string): string {
  return line.replace(/^\S+T(\S+)Z/, '$1').replace(/ {2}[a-z]+\.[a-z]+( .*)?$/, '');
}
