// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* What `import Concur from 'gi://Concur'` gives, for editors and type checkers. The types of
 * GLib, GObject and Gio come from whatever declares these modules for the project.
 *
 * Times are numbers of milliseconds; less than 0, null or Infinity is for ever. */

declare module 'gi://Concur?version=1' {
    import type Gio from 'gi://Gio?version=2.0';
    import type GLib from 'gi://GLib?version=2.0';
    import type GObject from 'gi://GObject?version=2.0';

    namespace Concur {
        const MAJOR_VERSION: number;
        const MINOR_VERSION: number;
        const MICRO_VERSION: number;

        enum FutureState {
            PENDING,
            RUNNING,
            RESOLVED,
            REJECTED,
            CANCELLED,
        }

        enum CancelFlags {
            NONE,
            ABANDON,
            QUEUED,
        }

        enum CombineFlags {
            NONE,
            CANCEL_REST,
        }

        enum Priority {
            HIGH,
            DEFAULT,
            LOW,
            IDLE,
        }

        enum Overflow {
            WAIT,
            REJECT,
        }

        enum ShutdownMode {
            DRAIN,
            CANCEL_PENDING,
            CANCEL_ALL,
        }

        enum ReleasePolicy {
            HOME,
            WORKER,
        }

        enum LoopState {
            STOPPED,
            STARTING,
            RUNNING,
            STOPPING,
        }

        enum WaitCondition {
            ALL,
            FIRST_COMPLETED,
            FIRST_ERROR,
        }

        enum GroupPolicy {
            CANCEL_ON_ERROR,
            COLLECT,
        }

        class FutureError extends GLib.Error {
            static PENDING: number;
            static TIMED_OUT: number;
            static BROKEN_PROMISE: number;
            static WOULD_DEADLOCK: number;
            static WRONG_TYPE: number;

            static quark(): GLib.Quark;

            constructor(options: { code: number; message: string });
        }

        class ExecutorError extends GLib.Error {
            static NOT_RUNNING: number;
            static SHUT_DOWN: number;
            static QUEUE_FULL: number;
            static THREAD_FAILED: number;
            static WORKER_DIED: number;
            static NOT_FOUND: number;
            static PROTOCOL: number;

            static quark(): GLib.Quark;

            constructor(options: { code: number; message: string });
        }

        class ChannelError extends GLib.Error {
            static EMPTY: number;
            static FULL: number;
            static CLOSED: number;
            static STOPPED: number;

            static quark(): GLib.Quark;

            constructor(options: { code: number; message: string });
        }

        type Milliseconds = number;
        type Cancellation = { cancellable?: Gio.Cancellable | null };
        type JobOptions = Cancellation & { name?: string | null; priority?: Priority | null };
        type FileOptions = Cancellation & { executor?: Executor | null };
        type CombineOptions = { cancelRest?: boolean };
        type WaitManyOptions = { condition?: WaitCondition; timeout?: Milliseconds | null };
        type ContinueOptions = { executor?: ContextExecutor | null };

        /** What a function may answer with: a value, or something to wait for. */
        type Answer<T> = T | PromiseLike<T> | Future<T>;
        type JobFunction<T> = (job: Job<T>) => Answer<T>;
        type Source<T> = T | PromiseLike<T> | Future<T> | JobFunction<T>;
        type Outcome<T> =
            | { status: 'fulfilled'; value: T }
            | { status: 'rejected'; reason: unknown };

        abstract class Future<T = unknown> extends GObject.Object implements PromiseLike<T> {
            readonly state: FutureState;
            readonly progress: number;
            readonly statusText: string | null;
            name: string | null;

            static from<T>(source: Source<T>, options?: JobOptions | null): Future<T>;
            static all<T>(futures: Iterable<Source<T>>): Future<T[]>;
            static allSettled<T>(futures: Iterable<Source<T>>): Future<Outcome<T>[]>;
            static any<T>(futures: Iterable<Source<T>>, options?: CombineOptions | CombineFlags | null): Future<T>;
            static race<T>(futures: Iterable<Source<T>>, options?: CombineOptions | CombineFlags | null): Future<T>;
            static waitMany<T>(futures: Iterable<Source<T>>, options?: WaitManyOptions | WaitCondition | null, timeout?: Milliseconds): Future<Future<T>[]>;
            static asCompleted<T>(futures: Iterable<Source<T>>): Channel<Future<T>>;
            static delay<T = null>(ms: Milliseconds, value?: T): Future<T>;
            static resolved<T = null>(value?: T): Future<T>;
            static rejected(error: unknown): Future<never>;

            then<A = T, B = never>(onResolved?: ((value: T) => A | PromiseLike<A>) | null, onRejected?: ((error: any) => B | PromiseLike<B>) | null): globalThis.Promise<A | B>;
            catch<B = never>(onRejected?: ((error: any) => B | PromiseLike<B>) | null): globalThis.Promise<T | B>;
            finally(onDone?: (() => void) | null): globalThis.Promise<T>;
            promise(): globalThis.Promise<T>;

            isDone(): boolean;
            check(): boolean;
            getState(): FutureState;
            getProgress(): number;
            dupName(): string | null;
            dupStatusText(): string | null;
            setName(name: string | null): void;

            wait(ms?: Milliseconds | null): boolean;
            result(ms?: Milliseconds | null): T;
            iterate(ms?: Milliseconds | null, context?: GLib.MainContext | null): boolean;
            waitAsync(options?: Cancellation | Gio.Cancellable | null): globalThis.Promise<T>;
            waitAsync(cancellable: Gio.Cancellable | null, callback: (future: Future<T>, result: Gio.AsyncResult) => void): void;
            waitFinish(result: Gio.AsyncResult): T;

            getValue(): T;
            getError(): any;
            dupString(): string;
            dupObject(): GObject.Object;
            dupBytes(): GLib.Bytes;
            dupVariant(): GLib.Variant;
            getInt64(): number;
            getDouble(): number;
            getBoolean(): boolean;
            getChildren(): Gio.ListModel | null;

            whenDone(fn: (future: Future<T>) => void, context?: GLib.MainContext | null): number;
            disconnectDone(id: number): void;
            cancel(options?: { abandon?: boolean; queued?: boolean } | CancelFlags | null): boolean;
            ignore(): void;

            continueWith<R>(fn: (value: T, job: Job<R>) => Answer<R>, options?: ContinueOptions | ContextExecutor | null): Future<R>;
            recover<R = T>(fn: (error: any, job: Job<R>) => Answer<R>, options?: ContinueOptions | ContextExecutor | null): Future<T | R>;
            ensure(fn: (future: Future<T>, job: Job<T>) => Answer<T | void>, options?: ContinueOptions | ContextExecutor | null): Future<T>;
            withTimeout(ms: Milliseconds): Future<T>;
            shield(): Future<T>;
            view(): Future<T>;
        }

        class Job<T = unknown> extends Future<T> {
            priority: Priority;

            constructor(properties?: { name?: string; priority?: Priority });
            static new<T>(fn: JobFunction<T>, options?: { name?: string | null; priority?: Priority | null } | null): Job<T>;
            static getCurrent(): Job | null;

            vfunc_run(): Answer<T> | boolean;

            getPriority(): Priority;
            setPriority(priority: Priority): void;
            isCancelled(): boolean;
            checkCancelled(): boolean;
            getCancellable(): Gio.Cancellable;
            setProgress(fraction: number): void;
            setStatusText(text: string | null): void;
            hold(): void;
            execute(): void;

            returnValue(value?: T): void;
            returnString(value: string | null): void;
            returnObject(value: GObject.Object | null): void;
            returnBytes(value: GLib.Bytes | null): void;
            returnVariant(value: GLib.Variant | null): void;
            returnInt64(value: number): void;
            returnDouble(value: number): void;
            returnBoolean(value: boolean): void;
            returnError(error: unknown): void;
            returnFuture(future: Future<T>): void;
        }

        class Promise<T = unknown> extends GObject.Object {
            readonly future: Future<T>;

            constructor();
            static new<T>(): Promise<T>;

            getFuture(): Future<T>;
            resolve(value?: T): boolean;
            resolveString(value: string | null): boolean;
            resolveObject(value: GObject.Object | null): boolean;
            resolveBytes(value: GLib.Bytes | null): boolean;
            resolveVariant(value: GLib.Variant | null): boolean;
            resolveInt64(value: number): boolean;
            resolveDouble(value: number): boolean;
            resolveBoolean(value: boolean): boolean;
            reject(error: unknown): boolean;
            setProgress(fraction: number): void;
            setStatusText(text: string | null): void;
        }

        class Batch extends GObject.Object {
            getNItems(): number;
            getItemType(): GObject.GType;
            setInt64(index: number, value: number): void;
            setDouble(index: number, value: number): void;
            setString(index: number, value: string | null): void;
            setObject(index: number, value: GObject.Object | null): void;
            setBytes(index: number, value: GLib.Bytes | null): void;
            setVariant(index: number, value: GLib.Variant | null): void;
            getInt64(index: number): number;
            getDouble(index: number): number;
            getString(index: number): string | null;
            getObject(index: number): GObject.Object | null;
            getBytes(index: number): GLib.Bytes | null;
            getVariant(index: number): GLib.Variant | null;
            getValue(index: number): any;
        }

        type BatchFunction<A, R> = (args: A[]) => (R | PromiseLike<R>)[] | PromiseLike<(R | PromiseLike<R>)[]>;

        class Batcher<A = any, R = unknown> extends GObject.Object {
            readonly executor: Executor;
            readonly maxCount: number;
            readonly leeway: Milliseconds;
            readonly waiting: number;

            constructor(properties?: { executor?: ContextExecutor; maxCount?: number; leeway?: Milliseconds });
            static new<A, R>(fn: BatchFunction<A, R>, options?: { executor?: ContextExecutor; maxCount?: number; leeway?: Milliseconds } | null): Batcher<A, R>;

            getExecutor(): Executor;
            getMaxCount(): number;
            getLeeway(): Milliseconds;
            getWaiting(): number;
            setFunc(fn: BatchFunction<A, R>): void;
            call(argument?: A, options?: Cancellation | Gio.Cancellable | null): Future<R>;
            flush(): void;
        }

        class BatcherJob extends Job {
            getNCalls(): number;
            getArgument(index: number): any;
            isWanted(index: number): boolean;
            answer(index: number, value?: any): boolean;
            answerError(index: number, error: unknown): boolean;
        }

        /* What may cross to a worker process and back, as a copy. */
        type Crossing = null | undefined | boolean | number | bigint | string | Date | Uint8Array | GLib.Bytes | GLib.Variant | Crossing[] | Map<Crossing, Crossing> | Set<Crossing> | { [key: string]: Crossing };

        type ProcessSettings = { name?: string; module?: string; resources?: string[]; command?: string[]; environment?: string[] | Record<string, string>; workingDirectory?: string; options?: GLib.Variant; maxWorkers?: number; minWorkers?: number; maxCallsPerWorker?: number; maxPending?: number; overflow?: Overflow; idleTimeout?: Milliseconds | null; startTimeout?: Milliseconds | null; callTimeout?: Milliseconds | null; gracePeriod?: Milliseconds; maxMessageSize?: number; maxMemory?: number; maxCpuTime?: number; maxFiles?: number; };

        class ProcessExecutor extends GObject.Object {
            readonly name: string;
            readonly command: string[];
            readonly environment: string[] | null;
            readonly workingDirectory: string | null;
            readonly options: GLib.Variant | null;
            readonly maxWorkers: number;
            readonly minWorkers: number;
            readonly maxCallsPerWorker: number;
            readonly maxPending: number;
            readonly overflow: Overflow;
            readonly idleTimeout: Milliseconds;
            readonly startTimeout: Milliseconds;
            readonly callTimeout: Milliseconds;
            readonly gracePeriod: Milliseconds;
            readonly maxMessageSize: number;
            readonly maxMemory: number;
            readonly maxCpuTime: number;
            readonly maxFiles: number;

            constructor(settings: ProcessSettings);
            static new(command: string[], maxWorkers?: number): ProcessExecutor;
            static dupDetails(job: Job): GLib.Variant | null;

            call<R = any>(name: string, args?: Crossing[] | GLib.Variant, options?: { cancellable?: Gio.Cancellable | null; timeout?: Milliseconds | null; fds?: Gio.UnixFDList | null } | null): Future<R>;
            map<R = any>(name: string, items: Iterable<Crossing>, options?: { cancellable?: Gio.Cancellable | null; chunk?: number } | null): Future<R[]>;
            stream<R = any>(name: string, args?: Crossing[] | GLib.Variant, options?: { cancellable?: Gio.Cancellable | null; capacity?: number; fds?: Gio.UnixFDList | null } | null): Channel<R>;
            shutdown(mode?: ShutdownMode): Future<boolean>;

            callStream(name: string, args: GLib.Variant, fds: Gio.UnixFDList | null, capacity: number, cancellable: Gio.Cancellable | null): Channel<GLib.Variant>;
            mapCalls(name: string, args: GLib.Variant, chunk: number, cancellable: Gio.Cancellable | null): Future<GLib.Variant>;
            callWithin(job: Job, name: string, args: GLib.Variant): GLib.Variant;
            submitJob<T>(job: Job<T>, options?: { cancellable?: Gio.Cancellable | null } | Gio.Cancellable | null): Future<T>;
            dupPids(): number[];
            dupSnapshot(): Snapshot;
            getCommand(): string[];
            getMaxWorkers(): number;
            getNWorkers(): number;
            getName(): string;
        }

        class ProcessCall<T = unknown> extends Job<T> {
            getFunction(): string;
            getFdList(): Gio.UnixFDList | null;
            getDetails(): GLib.Variant | null;
        }

        class ProcessWorker extends GObject.Object {
            static new(): ProcessWorker;

            getName(): string;
            getOptions(): GLib.Variant;
            nextCall(): WorkerCall | null;
            serve(load: (uri: string) => PromiseLike<Record<string, any>>): globalThis.Promise<void>;
        }

        class WorkerCall extends GObject.Object {
            getName(): string;
            getArguments(): GLib.Variant;
            getFdList(): Gio.UnixFDList;
            isCancelled(): boolean;
            getCancellable(): Gio.Cancellable;
            setProgress(fraction: number): void;
            setStatusText(text: string | null): void;
            sendItem(item: GLib.Variant): boolean;
            returnValue(value: GLib.Variant | null): boolean;
            returnValueWithFds(value: GLib.Variant | null, fds: Gio.UnixFDList | null): boolean;
            returnError(error: GLib.Error): boolean;
            returnFailure(domain: string, code: number, text: string, details: GLib.Variant | null): boolean;
        }

        /* In a worker process: what is being answered. */
        function workerCall(): WorkerCall | null;
        function workerRun(fn: (call: WorkerCall) => GLib.Variant | null): boolean;

        class Channel<T = unknown> extends GObject.Object implements AsyncIterable<T> {
            readonly capacity: number;
            readonly length: number;
            readonly closed: boolean;
            readonly completion: Future<number>;

            constructor(properties?: { capacity?: number });
            static new<T>(capacity?: number): Channel<T>;
            static from<T>(source: AsyncIterable<T> | Iterable<T | PromiseLike<T>> | (() => AsyncIterable<T> | Iterable<T | PromiseLike<T>> | PromiseLike<AsyncIterable<T> | Iterable<T>>), options?: { capacity?: number } | number | null): Channel<T>;

            [Symbol.asyncIterator](): AsyncIterableIterator<T>;

            send(value?: T): Future<boolean>;
            sendMany(values: Iterable<T>): Future<number>;
            receive(): Future<T>;
            receiveMany(maxItems?: number): Future<T[]>;

            sendAsync(value?: T, options?: Cancellation | Gio.Cancellable | null): globalThis.Promise<boolean>;
            sendAsync(value: T, cancellable: Gio.Cancellable | null, callback: (channel: Channel<T>, result: Gio.AsyncResult) => void): void;
            sendFinish(result: Gio.AsyncResult): boolean;
            receiveAsync(options?: Cancellation | Gio.Cancellable | null): globalThis.Promise<T>;
            receiveAsync(cancellable: Gio.Cancellable | null, callback: (channel: Channel<T>, result: Gio.AsyncResult) => void): void;
            receiveFinish(result: Gio.AsyncResult): T;

            sendWait(value?: T, ms?: Milliseconds | null): boolean;
            sendManyWait(values: Iterable<T>, ms?: Milliseconds | null): number;
            receiveWait(ms?: Milliseconds | null): T;
            receiveManyWait(maxItems?: number, ms?: Milliseconds | null): T[];

            trySend(value?: T): boolean;
            trySendMany(values: Iterable<T>): number;
            tryReceive(): T;
            tryReceiveMany(maxItems?: number): T[];
            giveBack(value?: T): boolean;

            forEach(fn: (value: T) => boolean | void, context?: GLib.MainContext | null): Future<number>;
            bindListStore(store: Gio.ListStore, factory?: ((value: T) => GObject.Object | null) | null): Future<number>;

            close(): boolean;
            fail(error: unknown): boolean;
            stop(): boolean;
            dupCompletion(): Future<number>;
            getCapacity(): number;
            getLength(): number;
            isClosed(): boolean;
        }

        class Limiter extends GObject.Object {
            permits: number;
            rate: number;
            period: Milliseconds;
            readonly available: number;
            readonly borrowed: number;
            readonly waiting: number;

            constructor(properties?: { permits?: number; rate?: number; period?: Milliseconds });
            static new(permits: number): Limiter;
            static newWithRate(permits: number, rate: number, period: Milliseconds): Limiter;

            acquire(): Future<any>;
            acquireAsync(options?: Cancellation | Gio.Cancellable | null): globalThis.Promise<boolean>;
            acquireAsync(cancellable: Gio.Cancellable | null, callback: (limiter: Limiter, result: Gio.AsyncResult) => void): void;
            acquireFinish(result: Gio.AsyncResult): boolean;
            acquireWait(ms?: Milliseconds | null): boolean;
            tryAcquire(): boolean;
            release(): void;

            run<T, A extends unknown[]>(fn: (...args: A) => Answer<T>, ...args: A): Future<T>;
            submit<T>(fn: JobFunction<T>, options?: (JobOptions & { executor?: Executor | null }) | Executor | null): Future<T>;
            submitJob<T>(job: Job<T>, options?: FileOptions | Executor | null): Future<T>;

            getPermits(): number;
            setPermits(permits: number): void;
            getRate(): number;
            setRate(rate: number): void;
            getPeriod(): Milliseconds;
            setPeriod(period: Milliseconds): void;
            getAvailable(): number;
            getBorrowed(): number;
            getWaiting(): number;
        }

        class Retry extends GObject.Object {
            readonly maxAttempts: number;
            readonly firstDelay: Milliseconds;
            readonly factor: number;
            readonly maxDelay: Milliseconds;
            readonly jitter: number;

            constructor(properties?: { maxAttempts?: number; firstDelay?: Milliseconds; factor?: number; maxDelay?: Milliseconds; jitter?: number });
            static new(maxAttempts: number, firstDelay: Milliseconds): Retry;

            run<T>(fn: (attempt: number) => Answer<T>, options?: (Cancellation & ContinueOptions) | Gio.Cancellable | null): Future<T>;
            setFilter(fn: (error: any, attempt: number) => boolean): void;
            getMaxAttempts(): number;
            getFirstDelay(): Milliseconds;
            getFactor(): number;
            getMaxDelay(): Milliseconds;
            getJitter(): number;
        }

        class TaskGroup extends GObject.Object {
            readonly executor: Executor;
            readonly policy: GroupPolicy;
            readonly parent: TaskGroup | null;
            readonly parentCancellable: Gio.Cancellable | null;
            readonly nMembers: number;
            readonly nRunning: number;

            constructor(properties?: { executor?: Executor; policy?: GroupPolicy; parent?: TaskGroup; cancellable?: Gio.Cancellable | null; parentCancellable?: Gio.Cancellable | null });
            static new(executor?: Executor | null, cancellable?: Gio.Cancellable | null): TaskGroup;

            submit<T>(fn: JobFunction<T>, options?: { name?: string | null; priority?: Priority | null } | null): Future<T>;
            submitJob<T>(job: Job<T>): Future<T>;
            add(what: Future | PromiseLike<unknown>): boolean;
            close(): Future<any[]>;

            cancel(options?: { abandon?: boolean; queued?: boolean } | CancelFlags | null): boolean;
            cancelSilently(): void;
            isCancelled(): boolean;
            bind(object: GObject.Object, options?: { silently?: boolean } | null): void;
            whenDone<T>(future: Future<T>, fn: (future: Future<T>) => void, context?: GLib.MainContext | null): number;

            getExecutor(): Executor;
            getPolicy(): GroupPolicy;
            getParent(): TaskGroup | null;
            getParentCancellable(): Gio.Cancellable | null;
            getCancellable(): Gio.Cancellable;
            getNMembers(): number;
            getNRunning(): number;
        }

        interface Executor extends GObject.Object {
            submit<T>(fn: JobFunction<T>, options?: JobOptions | Gio.Cancellable | null): Future<T>;
            submitJob<T>(job: Job<T>, options?: Cancellation | Gio.Cancellable | null): Future<T>;
            post(fn: () => void): boolean;
            mapRange(n: number, chunk: number, fn: (batch: Batch, first: number, n: number) => void, options?: Cancellation | Gio.Cancellable | null): Future<Batch>;
            shutdown(mode?: ShutdownMode): Future<null>;
            generate<T>(source: () => AsyncIterable<T> | Iterable<T | PromiseLike<T>>, options?: { capacity?: number } | number | null): Channel<T>;

            vfunc_execute?(job: Job): void;
            vfunc_shutdown?(mode: ShutdownMode): Future;
        }

        const Executor: {
            $gtype: GObject.GType<Executor>;
            prototype: Executor;
            getDefault(): Executor;
        };

        interface ContextExecutor extends Executor {}
        class ContextExecutor extends GObject.Object {
            readonly context: GLib.MainContext;
            readonly priority: number;

            constructor(properties?: { context?: GLib.MainContext | null; priority?: number });
            static new(context?: GLib.MainContext | null): ContextExecutor;
            static main(): ContextExecutor;

            getContext(): GLib.MainContext;
            getPriority(): number;
        }

        interface ThreadExecutor extends Executor {}
        class ThreadExecutor extends GObject.Object {
            readonly name: string;
            readonly maxThreads: number;
            readonly maxBlocked: number;
            readonly maxPending: number;
            readonly overflow: Overflow;
            readonly release: ReleasePolicy;
            readonly keepAlive: Milliseconds;
            paused: boolean;

            constructor(properties?: { name?: string; maxThreads?: number; maxBlocked?: number; maxPending?: number; overflow?: Overflow; release?: ReleasePolicy; keepAlive?: Milliseconds | null; paused?: boolean });
            static new(maxThreads?: number): ThreadExecutor;

            getName(): string;
            getMaxThreads(): number;
            getMaxBlocked(): number;
            getMaxPending(): number;
            getOverflow(): Overflow;
            getRelease(): ReleasePolicy;
            getKeepAlive(): Milliseconds;
            getPaused(): boolean;
            setPaused(paused: boolean): void;
            getThreadName(): string | null;
            dupSnapshot(): Snapshot;
        }

        interface LoopThread extends Executor {}
        class LoopThread extends GObject.Object {
            readonly name: string;
            readonly maxWorkers: number;
            readonly context: GLib.MainContext;
            readonly state: LoopState;

            constructor(properties?: { name?: string | null; maxWorkers?: number });
            static new(name?: string | null): LoopThread;
            static dupDefault(): LoopThread;

            connect(signal: 'started' | 'stopping' | 'stopped', handler: (thread: LoopThread) => void): number;
            connect(signal: string, handler: (...args: any[]) => any): number;

            start(): boolean;
            stop(ms?: Milliseconds | null): boolean;
            stopAsync(options?: Cancellation | Gio.Cancellable | null): globalThis.Promise<boolean>;
            stopAsync(cancellable: Gio.Cancellable | null, callback: (thread: LoopThread, result: Gio.AsyncResult) => void): void;
            stopFinish(result: Gio.AsyncResult): boolean;
            join(ms?: Milliseconds | null): boolean;
            removeTask(id: number): boolean;
            isCurrent(): boolean;
            getExecutor(): Executor;
            getContext(): GLib.MainContext;
            getName(): string;
            getMaxWorkers(): number;
            getState(): LoopState;
        }

        class Snapshot extends GObject.Object {
            getNThreads(): number;
            getNIdle(): number;
            getNBlocked(): number;
            getNPending(): number;
            getNCompleted(): number;
            getNRefused(): number;
            getNThreadFailures(): number;
            getNRunning(): number;
            getJobName(index: number): string | null;
            getThreadName(index: number): string;
            getRunningTime(index: number): Milliseconds;
            toString(): string;
        }

        function delay<T = null>(ms: Milliseconds, value?: T): Future<T>;
        function isCancelled(error: unknown): boolean;
        function fileDigest(file: Gio.File, type?: GLib.ChecksumType, options?: FileOptions | Executor | null, cancellable?: Gio.Cancellable | null): Future<string>;
        function fileLoadBytes(file: Gio.File, options?: FileOptions | Executor | null, cancellable?: Gio.Cancellable | null): Future<GLib.Bytes>;
        function releasePending(): number;
        function quiesce(): void;
        function executorGetDefault(): Executor;
        function futureErrorQuark(): GLib.Quark;
        function executorErrorQuark(): GLib.Quark;
        function channelErrorQuark(): GLib.Quark;
    }

    export default Concur;
}

declare module 'gi://Concur' {
    export { default } from 'gi://Concur?version=1';
}
