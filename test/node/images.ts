/**
 * The images of the node, as archives that containerd imports: podsecrets, built by the project's Dockerfile, and those of
 * the tests. The name of an archive has a hash of its inputs, so that unchanged images are not built again.
 */

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { image, version } from '../../src/core/version.ts';
import { buildGoProgram } from '../cluster/go.ts';
import { importBaseImage } from './base-image.ts';
import { cacheFolder } from './cache.ts';
import { unpackedPackage } from './debian.ts';
import { type Docker, openDocker } from './docker.ts';
import { part } from './missing.ts';

const root = join(import.meta.dirname, '..', '..');
/** An engine that was started here has no other network. */
const build = ['buildx', 'build', '--load', '--network', 'host'];

/** The names under which the node has them. */
export const images = {
  podsecrets: fullName(image),
  /** Runs as root unless the pod sets a user. */
  busybox: 'docker.io/library/busybox:1.37',
  /** Busybox as user 10001. */
  app: 'registry.test/app:1',
  /** One program as user 10001, /env, which prints its variables: no shell, no library. */
  bare: 'registry.test/bare:1',
  pause: 'registry.test/pause:1',
} as const;

/** As the kubelet completes the name of an image that names no registry. */
function fullName(name: string): string {
  return name.includes('/') ? name : `docker.io/library/${name}`;
}

/** The archives of all images. An image that cannot be built is an error; its tools may be missing. */
export async function imageArchives(): Promise<readonly string[]> {
  const archives = [
    { name: 'podsecrets', inputs: projectInputs(), build: buildProject },
    { name: 'tests', inputs: globSync('test/node/images/*', { cwd: root }), build: buildTestImages },
  ].map((archive) => ({ ...archive, file: archiveFile(archive.name, archive.inputs) }));
  const wanted = archives.filter(({ file }) => !existsSync(file));
  if (wanted.length > 0) {
    const docker = await part('a Docker engine, to build the images', openDocker);
    try {
      for (const { name, file, build } of wanted) {
        process.stderr.write(`building the images of ${name}\n`);
        docker.run(['save', '--output', `${file}.new`, ...(await build(docker))]);
        renameSync(`${file}.new`, file);
      }
    } finally {
      // Each build leaves its image and its layers, which are removed only from an engine that was started here.
      if (!docker.pulls) {
        docker.run(['image', 'prune', '--force']);
        docker.run(['buildx', 'prune', '--force', '--keep-storage', LARGEST_BUILD_CACHE]);
      }
      await docker.stop();
    }
  }
  for (const { name, file } of archives) {
    const now = new Date();
    utimesSync(file, now, now);
    removeOldArchives(name);
  }
  return archives.map(({ file }) => file);
}

/** Of Docker. A build of podsecrets needs 1.5 GB. */
const LARGEST_BUILD_CACHE = '4gb';

/** Archives of each name that stay: this run's, and that of another checkout that uses the same folder. */
const KEPT = 2;

/** Keeps the archives of a name that were used last: one is 125 MB, and every change of a source makes another. */
function removeOldArchives(name: string): void {
  const folder = cacheFolder('images');
  const byAge = globSync(`${name}-*`, { cwd: folder })
    .map((file) => ({ file, used: statSync(join(folder, file)).mtimeMs }))
    .sort((a, b) => b.used - a.used);
  for (const { file } of byAge.slice(KEPT)) rmSync(join(folder, file));
}

/** The Dockerfile, and what .dockerignore lets in. */
function projectInputs(): readonly string[] {
  const patterns = readFileSync(join(root, '.dockerignore'), 'utf8').matchAll(/^!(.+)$/gm);
  return [
    'Dockerfile',
    ...[...patterns].flatMap(([, path = '']) => globSync([path, `${path}/**`], { cwd: root })),
  ];
}

function archiveFile(name: string, inputs: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of inputs.filter((path) => statSync(join(root, path)).isFile()).sort())
    hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  return join(cacheFolder('images'), `${name}-${hash.digest('hex').slice(0, 16)}.tar`);
}

/** The base comes from the registry, if the engine reaches it. */
async function buildProject(docker: Docker): Promise<readonly string[]> {
  const from = /^FROM (\S+) AS build$/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8'))?.[1];
  if (from === undefined) throw new Error('Dockerfile: expected FROM … AS build, found none');
  if (!docker.pulls) await part(`the image ${from}`, () => importBaseImage(docker, from));
  const base = docker.pulls ? [] : ['--build-context', `${from}=docker-image://${from}`];
  docker.run([...build, ...base, '--build-arg', `VERSION=${version}`, '-t', images.podsecrets, root]);
  return [images.podsecrets];
}

async function buildTestImages(docker: Docker): Promise<readonly string[]> {
  const context = cacheFolder('test-images');
  rmSync(context, { recursive: true });
  mkdirSync(context);
  const directory = join(root, 'test/node/images');
  copyFileSync(join(directory, 'Dockerfile'), join(context, 'Dockerfile'));
  const busybox = await part('busybox, for the application', () => unpackedPackage('busybox-static'));
  copyFileSync(
    join(busybox, globSync('{usr/,}bin/busybox', { cwd: busybox })[0] ?? ''),
    join(context, 'busybox'),
  );
  const pause = buildGoProgram({
    directory: cacheFolder('pause'),
    name: 'pause',
    from: join(directory, 'pause.go'),
    prepare: () => {},
  });
  copyFileSync(pause, join(context, 'pause'));
  const targets = ['busybox', 'app', 'bare', 'pause'] as const;
  for (const target of targets) docker.run([...build, '--target', target, '-t', images[target], context]);
  return targets.map((target) => images[target]);
}
