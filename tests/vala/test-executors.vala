// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Executors: the library's, and those written in Vala.

using GLib;
using Concur;

// Runs one job at a time, when it is told to.
class Manual : Object, Executor {
	private AsyncQueue<Job> jobs = new AsyncQueue<Job> ();
	private bool ended = false;

	public void execute (Job job) {
		if (ended)
			job.return_error (new ExecutorError.SHUT_DOWN ("The manual executor was shut down"));
		else
			jobs.push (job);
	}

	public Future shutdown (ShutdownMode mode) {
		ended = true;
		if (mode == ShutdownMode.CANCEL_ALL)
			for (var job = jobs.try_pop (); job != null; job = jobs.try_pop ())
				job.cancel ();
		return Future.resolved ();
	}

	public bool run_one () {
		Job? job = jobs.try_pop ();

		if (job == null)
			return false;
		job.execute ();
		return true;
	}
}

void test_own_executor () throws Error {
	var executor = new Manual ();
	var first = executor.submit_as<int> ((job) => { return 1; });
	var second = executor.submit ((job) => { job.return_string ("two"); return true; });
	var third = executor.submit_as<int> ((job) => { return 3; });

	assert (!first.is_done ());
	assert (executor.run_one () && first.value_as<int> () == 1);
	assert (executor.run_one () && second.value_as<string> () == "two");
	assert (executor.shutdown (ShutdownMode.CANCEL_ALL).is_done ());
	assert (third.state == FutureState.CANCELLED && !executor.run_one ());
	try {
		executor.submit_as<int> ((job) => { return 4; }).value_as<int> ();
		assert_not_reached ();
	} catch (ExecutorError.SHUT_DOWN e) {
		assert ("manual" in e.message);
	}
}

// A language enters once per thread; here: something that every job of it finds.
class Prepared : ThreadExecutor {
	public static Private prepared = new Private (null);
	public int n_entered = 0;

	public Prepared (uint max_threads) {
		Object (max_threads: max_threads, name: "prepared");
	}

	public override void thread_main () {
		prepared.set ((void*) 42);
		AtomicInt.inc (ref n_entered);
		while (run_next ());
	}
}

void test_subclass () throws Error {
	var pool = new Prepared (1);

	for (int i = 0; i < 10; i++)
		assert (pool.submit_as<bool> ((job) => { return Prepared.prepared.get () == (void*) 42; }).wait_as<bool> ());
	assert (pool.max_threads == 1 && pool.name == "prepared");
	pool.shutdown ().wait ();
	assert (pool.n_entered >= 1);
}

// Nested waits on the only thread.
int count_down (Executor pool, int depth) throws Error {
	if (depth == 0)
		return 0;
	return 1 + pool.submit_as<int> ((job) => { return count_down (pool, depth - 1); }).wait_as<int> ();
}

void test_wait_from_worker () throws Error {
	var pool = new ThreadExecutor (1);

	assert (pool.submit_as<int> ((job) => { return count_down (pool, 20); }).wait_as<int> () == 20);
	pool.shutdown ().wait ();
}

void test_context_executor () throws Error {
	var executor = new ContextExecutor ();
	unowned Thread<void*> thread = Thread.self<void*> ();
	var there = Executor.get_default ().submit_as<Future> ((job) => {
		return executor.submit_as<bool> ((inner) => { return Thread.self<void*> () == thread; });
	}).wait_as<Future> ();

	assert (!there.is_done ());
	there.iterate ();
	assert (there.value_as<bool> ());
}

void test_shutdown () throws Error {
	var pool = new ThreadExecutor (1);
	var gate = new Gate ();
	var running = pool.submit_as<int> ((job) => { gate.pass (); return 1; });
	var queued = pool.submit_as<int> ((job) => { return 2; });
	var end = pool.shutdown ();

	assert (!end.wait (TimeSpan.MILLISECOND));
	gate.open ();
	assert (end.wait () && running.value_as<int> () == 1 && queued.value_as<int> () == 2);
	try {
		pool.submit_as<int> ((job) => { return 3; }).wait_as<int> ();
		assert_not_reached ();
	} catch (ExecutorError.SHUT_DOWN e) {
		assert (e.message != "");
	}
}

void test_full () throws Error {
	var pool = (ThreadExecutor) Object.new (typeof (ThreadExecutor), "max-threads", 1,
	                                        "max-pending", 1, "overflow", QueueOverflow.REJECT);
	var gate = new Gate ();
	var begun = new Promise ();
	var running = pool.submit_as<void> ((job) => { begun.resolve (); gate.pass (); });
	begun.get_future ().wait ();
	var queued = pool.submit_as<int> ((job) => { return 1; });

	try {
		pool.submit_as<int> ((job) => { return 2; }).wait_as<int> ();
		assert_not_reached ();
	} catch (ExecutorError.QUEUE_FULL e) {
		ExecutorSnapshot snapshot = pool.dup_snapshot ();
		assert (snapshot.get_n_running () == 1 && snapshot.get_n_refused () == 1);
	}
	gate.open ();
	assert (running.wait () && queued.wait ());
}

void test_map_range () throws Error {
	var squares = Executor.get_default ().map_range (1000, 16, (batch, first, n) => {
		for (uint i = first; i < first + n; i++)
			batch.set_int64 (i, (int64) i * i);
		return true;
	}).wait_as<Batch> ();

	assert (squares.get_n_items () == 1000);
	for (uint i = 0; i < 1000; i++)
		assert (squares.get_int64 (i) == (int64) i * i);
}

// What may be left out, is what it says.
void test_defaults () throws Error {
	var file = File.new_for_path ("/etc/passwd");
	Bytes bytes = file_load_bytes (file).wait_as<Bytes> ();
	string digest = file_digest (file, ChecksumType.SHA256).wait_as<string> ();

	assert (Checksum.compute_for_bytes (ChecksumType.SHA256, bytes) == digest);
	assert (new LoopThread ().name != null);
	assert (new ContextExecutor ().context == MainContext.default ());
}

int main (string[] args) {
	Test.init (ref args);
	add_test ("/vala/executors/own", test_own_executor);
	add_test ("/vala/executors/subclass", test_subclass);
	add_test ("/vala/executors/wait-from-worker", test_wait_from_worker);
	add_test ("/vala/executors/context", test_context_executor);
	add_test ("/vala/executors/shutdown", test_shutdown);
	add_test ("/vala/executors/full", test_full);
	add_test ("/vala/executors/map-range", test_map_range);
	add_test ("/vala/executors/defaults", test_defaults);
	return run_tests ();
}
