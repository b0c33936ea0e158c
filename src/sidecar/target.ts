/**
 * One config and its directory, in the process of the sidecar: the request of the next sync, and
 * the state from the reports of earlier ones.
 *
 * It contains no value. A missing object or a failing region is logged when it begins and when it ends, not at every refresh. A
 * config on disk is accepted once a sync has read and rendered it without being killed.
 */

import type { Clock } from '../core/clock.ts';
import { filePath } from '../core/file-path.ts';
import type { Log } from '../core/log.ts';
import { distinct, Problem, problemLine } from '../core/problem.ts';
import { timeText } from '../core/text.ts';
import type { HeldDirectory, UndeliveredNames } from '../publish/held-directory.ts';
import type { MessageOf } from '../worker/report.ts';
import type { ConfigContent, ConfigRequest } from '../worker/request.ts';
import {
  type ConfigStatus,
  type FileStatus,
  filesStatus,
  problemStatus,
  type VariableStatus,
} from './status.ts';
import { transitions } from './transitions.ts';

/** The result of reading a config again. */
export type ReloadResult = 'changed' | 'unchanged' | 'invalid';

/** A config, its directory, and the state of both. */
export interface SyncTarget {
  /** The config file. */
  readonly file: string;
  readonly directory: string;
  /** Whether the directory has a complete generation, of this process or of an earlier one. */
  isReady(): boolean;
  /**
   * Reads the config again. `differs`: from that of the last sync. `result`: undefined until the next sync reports it
   * with `edited`.
   */
  reload(): { readonly differs: boolean; readonly result: ReloadResult | undefined };
  /** The request of the next sync. */
  request(): ConfigRequest;
  /** The config in use, for a check that is not a sync. */
  inUse(): ConfigRequest;
  planned(message: MessageOf<'plan'>): void;
  /** The config differs from the one in use; its result, the first time after `reload`. */
  edited(message: MessageOf<'edited'>): ReloadResult | undefined;
  /** Whether it was the first publish of this process. */
  published(message: MessageOf<'published'>): boolean;
  /** Takes a complete set of which nothing was published. */
  fetched(message: MessageOf<'fetched'>): void;
  /** The Kubernetes Secrets of the last publish were applied. */
  applied(): void;
  /** A sync of this target failed. */
  failed(problems: readonly Problem[]): void;
  /** The sync has ended; with the problem of its worker if that was killed while it read or rendered this config. */
  ended(killed?: Problem): void;
  /** Names that were published and not delivered. Throws a Problem. */
  pendingNotification(): UndeliveredNames;
  /** Every notifier has delivered what was stored with this generation. Throws a Problem. */
  clearPendingNotification(generation: string): void;
  /** Removes replaced generations that nothing needs any more. Rejects with a Problem. */
  removeReplaced(): Promise<void>;
  status(): ConfigStatus;
}

/** The dependencies of a target. */
export interface SyncTargetOptions {
  readonly file: string;
  readonly held: Omit<HeldDirectory, 'close'>;
  /** Reads the config. Never throws. */
  readonly read: (file: string) => ConfigContent;
  readonly clock: Clock;
  readonly log: Log;
}

/** A target of which no sync has reported yet. */
export function createSyncTarget({ file, held, read, clock, log }: SyncTargetOptions): SyncTarget {
  const directory = held.path;
  const handle = { path: held.path, identity: held.identity };
  /** The config on disk, as it was last read; and as it was when the last sync began. */
  let content = read(file);
  let requested = content;
  /** The config of that sync, if a worker was killed with the one on disk. */
  let sent = content;
  /** The text that was last used without a killed worker. */
  let inUse: string | undefined;
  /** The region of its plan. */
  let regionInUse: string | undefined;
  /** The text that the sync uses now; undefined if its plan was not reported. */
  let used: string | undefined;
  /** The text of a sync whose worker was killed. It is used again after a success with another text, because it may not be the cause. */
  let suspect: { readonly text: string; mayRetry: boolean } | undefined;
  /** The report about such a text, which is applied once the sync has ended. */
  let deferredEdit: MessageOf<'edited'> | undefined;
  let isReloaded = false;
  let region = '';
  let failoverRegion: string | undefined;
  let ready = false;
  let isVerified = false;
  let publishedFiles: number | undefined;
  let pinned: ConfigRequest['pinned'] = [];
  let files: readonly FileStatus[] = [];
  let variables: readonly VariableStatus[] = [];
  let missingOptional: readonly string[] = [];
  let degraded: readonly string[] = [];
  let warnedVariables: readonly string[] = [];
  let configProblems: readonly Problem[] = [];
  let lastErrors: readonly Problem[] = [];
  let lastSuccess: number | undefined;
  let lastChange: number | undefined;
  let lastFailure: number | undefined;

  /** Whether an earlier process left all files of the plan. */
  function isComplete({ paths, secrets }: MessageOf<'plan'>): boolean {
    const valid = paths.flatMap((path) => {
      const checked = filePath(path);
      return typeof checked === 'string' ? [checked] : [];
    });
    return held.holds(valid) && (secrets === undefined || held.appliedSecrets() === secrets);
  }

  /** Logs the ones that were not logged before. */
  function setConfigProblems(problems: readonly Problem[]): void {
    const known = configProblems.map(problemLine);
    configProblems = problems;
    for (const problem of problems) {
      if (!known.includes(problemLine(problem))) log.problem('config.invalid', problem, { config: file });
    }
  }

  /** Shows and logs the result of an edit. */
  function useEdit({ result, objects, problems, warnings }: MessageOf<'edited'>): void {
    if (result === 'invalid') {
      setConfigProblems(problems.map((problem) => new Problem(problem)));
      return;
    }
    const hadProblems = configProblems.length > 0;
    configProblems = [];
    if (result === 'changed') {
      isVerified = false;
      log.write('config.reloaded', `${file}: configuration reloaded`, { config: file, objects });
      for (const warning of warnings) log.problem('config.warning', new Problem(warning));
    } else if (hadProblems) {
      log.write('config.recovered', `${file}: configuration valid again`, { config: file });
    }
  }

  /** Returns whether it differs from the config in use. */
  function readAgain(): boolean {
    content = read(file);
    const isEdited = content.kind !== 'text' || content.text !== inUse;
    if (!isEdited) useEdit({ ...UNCHANGED, config: 0 });
    return isEdited;
  }

  /** `count`: files of objects, and for a command its variables. */
  function useSet(message: MessageOf<'published' | 'fetched'>, count: number): void {
    const isFirst = publishedFiles === undefined;
    publishedFiles = count;
    isVerified = true;
    lastSuccess = clock.now();
    files = filesStatus(message.files, files, isFirst, timeText(lastSuccess));
    variables = message.variables ?? [];
    if (suspect !== undefined) suspect.mayRetry = true;
    logTransitions(message);
  }

  function logTransitions(message: MessageOf<'published' | 'fetched'>): void {
    missingOptional = transitions(missingOptional, message.missing, {
      onBegin: ({ problem }) => log.problem('object.missing', new Problem(problem), { config: file }),
      onEnd: (name) => log.write('object.found', `${name} exists again`, { config: file, object: name }),
    });
    warnedVariables = transitions(warnedVariables, message.variableWarnings, {
      onBegin: ({ problem }) => log.problem('config.warning', new Problem(problem), { config: file }),
      onEnd: () => {},
    });
    degraded = transitions(degraded, message.degraded, {
      onBegin: ({ problem }) => log.problem('region.failing', new Problem(problem), { config: file }),
      onEnd: (name) =>
        log.write('region.recovered', `both regions return ${name} again`, {
          config: file,
          object: name,
        }),
    });
  }

  return {
    file,
    directory,
    isReady: () => ready,
    reload() {
      isReloaded = readAgain();
      const differs = JSON.stringify(content) !== JSON.stringify(requested);
      return { differs, result: isReloaded ? undefined : 'unchanged' };
    },
    request() {
      // The cause may be gone, such as a lack of descriptors.
      if (content.kind === 'unreadable') readAgain();
      requested = content;
      used = undefined;
      deferredEdit = undefined;
      const isSuspect = content.kind === 'text' && content.text === suspect?.text;
      const isLeftOut = isSuspect && suspect?.mayRetry === false && inUse !== undefined;
      if (isSuspect && suspect !== undefined) suspect.mayRetry = false;
      sent = isLeftOut ? { kind: 'text', text: inUse ?? '' } : content;
      if (sent.kind === 'text' && sent.text === inUse) used = sent.text;
      const region = regionInUse;
      return { file, directory: handle, content: sent, inUse, region, isVerified, publishedFiles, pinned };
    },
    inUse: () => ({
      file,
      directory: handle,
      content: inUse === undefined ? requested : { kind: 'text', text: inUse },
      inUse,
      region: regionInUse,
      isVerified,
      publishedFiles,
      pinned,
    }),
    planned(message) {
      ({ region, failoverRegion } = message);
      if (inUse === undefined && sent.kind === 'text') used = sent.text;
      if (!ready) ready = isComplete(message);
    },
    edited(message) {
      if (message.result !== 'invalid' && sent.kind === 'text') used = sent.text;
      if (sent.kind === 'text' && sent.text === suspect?.text) deferredEdit = message;
      else useEdit(message);
      const isCounted = isReloaded;
      isReloaded = false;
      return isCounted ? message.result : undefined;
    },
    published(message) {
      const isFirst = publishedFiles === undefined;
      useSet(message, message.files.length);
      ({ pinned } = message);
      if (!message.appliesSecrets) ready = true;
      if (message.result === 'changed') lastChange = lastSuccess;
      if (message.warning !== undefined)
        log.problem('publish.warning', new Problem(message.warning), { config: file });
      return isFirst;
    },
    fetched(message) {
      useSet(message, message.count);
      ready = true;
    },
    applied() {
      ready = true;
    },
    failed(problems) {
      lastFailure = clock.now();
      lastErrors = problems;
    },
    ended(killed) {
      if (killed === undefined) {
        if (deferredEdit !== undefined) useEdit(deferredEdit);
        if (used === undefined) return;
        inUse = used;
        if (region !== '') regionInUse = region;
        if (inUse === suspect?.text) suspect = undefined;
      } else if (sent.kind === 'text' && inUse !== undefined && sent.text !== inUse) {
        suspect = { text: sent.text, mayRetry: false };
        setConfigProblems([killed]);
      }
    },
    pendingNotification: () => held.pendingNotification(),
    clearPendingNotification: (generation) => held.clearPendingNotification(generation),
    removeReplaced: () => held.removeReplaced(),
    status: () => ({
      file,
      directory,
      region,
      failoverRegion,
      ready,
      lastSuccess: optionalTime(lastSuccess),
      lastChange: optionalTime(lastChange),
      lastFailure: optionalTime(lastFailure),
      lastErrors: distinct(lastErrors).map(problemStatus),
      configProblems: configProblems.map(problemStatus),
      files,
      variables,
      missingOptional,
    }),
  };
}

const UNCHANGED = { kind: 'edited', result: 'unchanged', objects: 0, problems: [], warnings: [] } as const;

function optionalTime(at: number | undefined): string | undefined {
  return at === undefined ? undefined : timeText(at);
}
