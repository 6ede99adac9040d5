// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Jobs: results, errors, cancelling, progress, subclasses.

using GLib;
using Concur;

ThreadExecutor one_thread () {
	return new ThreadExecutor (1);
}

void test_submit () throws Error {
	var pool = one_thread ();
	Future future = pool.submit ((job) => {
		job.return_string ("done");
		return true;
	});

	assert (future.wait_as<string> () == "done");
	assert (future.dup_string () == "done");
	assert (future.state == FutureState.RESOLVED);
	pool.shutdown ().wait ();
}

// A function that returns without an answer.
void test_no_answer () throws Error {
	try {
		Executor.get_default ().submit ((job) => { return true; }).result ();
		assert_not_reached ();
	} catch (FutureError.BROKEN_PROMISE e) {
		assert (e.message != "");
	}
}

// Errors keep their domain, code and message, so that catch clauses choose.
async void test_errors () throws Error {
	var pool = Executor.get_default ();
	int caught = 0;

	try {
		yield pool.run<int> ((job) => { throw new KeyFileError.NOT_FOUND ("no such key"); });
		assert_not_reached ();
	} catch (IOError e) {
		assert_not_reached ();
	} catch (KeyFileError.NOT_FOUND e) {
		assert (e.message == "no such key");
		caught++;
	}

	try {
		// From GIO, deep inside.
		yield pool.run<FileInfo> ((job) => {
			return File.new_for_path ("/no/such/file").query_info ("*", 0, job.get_cancellable ());
		});
		assert_not_reached ();
	} catch (IOError.NOT_FOUND e) {
		caught++;
	}

	var future = pool.submit_as<string> ((job) => { throw new IOError.BUSY ("busy"); });
	try {
		yield future.result_as<string> ();
		assert_not_reached ();
	} catch (IOError.BUSY e) {
		caught++;
	}
	assert (future.state == FutureState.REJECTED && future.get_error () is IOError.BUSY);
	assert (caught == 3);
}

void test_not_yet () throws Error {
	var gate = new Gate ();
	var future = one_thread ().submit_as<int> ((job) => { gate.pass (); return 1; });

	try {
		future.value_as<int> ();
		assert_not_reached ();
	} catch (FutureError.PENDING e) {
		assert (!future.is_done ());
	}
	try {
		future.wait_as<int> (TimeSpan.MILLISECOND);
		assert_not_reached ();
	} catch (FutureError.TIMED_OUT e) {
		assert (!future.is_done ());
	}
	gate.open ();
	assert (future.wait_as<int> () == 1);
}

void test_cancel_queued () throws Error {
	var pool = one_thread ();
	var gate = new Gate ();
	bool called = false;
	var busy = pool.submit_as<void> ((job) => { gate.pass (); });
	var queued = pool.submit_as<int> ((job) => { called = true; return 1; });

	assert (queued.cancel ());
	try {
		queued.value_as<int> ();
		assert_not_reached ();
	} catch (IOError.CANCELLED e) {
		assert (queued.state == FutureState.CANCELLED);
	}
	gate.open ();
	busy.wait ();
	pool.shutdown ().wait ();
	assert (!called);
}

void spin_until_cancelled (Job job) throws Error {
	while (!job.is_cancelled ())
		Thread.yield ();
	job.check_cancelled ();
}

async void test_cancel_running () throws Error {
	var pool = one_thread ();
	var cancellable = new Cancellable ();
	bool was_running = false;

	// A parent cancellable, cancelled when the job has begun; the call ends with the job.
	try {
		yield pool.run<int> ((job) => {
			was_running = true;
			cancellable.cancel ();
			spin_until_cancelled (job);
			return 1;
		}, cancellable);
		assert_not_reached ();
	} catch (IOError.CANCELLED e) {
		assert (was_running);
	}

	// Its own answer counts.
	cancellable.reset ();
	int answer = yield pool.run<int> ((job) => {
		cancellable.cancel ();
		while (!job.is_cancelled ())
			Thread.yield ();
		assert (job.get_cancellable ().is_cancelled ());
		return 7;
	}, cancellable);
	assert (answer == 7);

	// By the future.
	var begun = new Promise ();
	var future = pool.submit_as<int> ((job) => {
		begun.resolve ();
		spin_until_cancelled (job);
		return 1;
	});
	yield begun.get_future ().wait_async ();
	assert (future.cancel ());
	try {
		yield future.result_as<int> ();
		assert_not_reached ();
	} catch (IOError.CANCELLED e) {
		assert (future.state == FutureState.CANCELLED && !future.cancel ());
	}
}

// Giving up a wait leaves the work alone.
async void test_cancel_wait () throws Error {
	var gate = new Gate ();
	var cancellable = new Cancellable ();
	var future = Executor.get_default ().submit_as<int> ((job) => { gate.pass (); return 3; });

	Idle.add (() => { cancellable.cancel (); return Source.REMOVE; });
	try {
		yield future.result_as<int> (cancellable);
		assert_not_reached ();
	} catch (IOError.CANCELLED e) {
		assert (!future.is_done ());
	}
	gate.open ();
	assert ((yield future.result_as<int> ()) == 3);
}

Future abandoned (Gate gate, Promise begun) {
	var argument = new Counted ();

	return Executor.get_default ().submit_as<Counted> ((job) => {
		begun.resolve ();
		gate.pass ();
		return new Counted (argument.number + 1);
	});
}

// A result that comes too late is let go, with all that the closure held.
async void test_abandon () throws Error {
	var gate = new Gate ();
	var begun = new Promise ();

	Counted.start ();
	var future = abandoned (gate, begun);
	yield begun.get_future ().wait_async ();
	assert (future.cancel (CancelFlags.ABANDON));
	assert (future.state == FutureState.CANCELLED);
	gate.open ();
	Counted.settle ();
}

async void test_progress () throws Error {
	var gate = new Gate ();
	var future = Executor.get_default ().submit_as<int> ((job) => {
		job.set_progress (0.5);
		job.set_status_text ("half");
		gate.pass ();
		return 1;
	});
	double seen = 0;
	string? text = null;
	unowned Thread<void*> thread = Thread.self<void*> ();

	future.notify["progress"].connect (() => {
		assert (Thread.self<void*> () == thread);
		seen = future.progress;
	});
	future.notify["status-text"].connect (() => {
		text = future.status_text;
		gate.open ();
	});
	// It may have been earlier than we.
	if (future.status_text == "half") {
		seen = future.progress;
		text = future.status_text;
		gate.open ();
	}
	assert ((yield future.result_as<int> ()) == 1);
	assert (seen >= 0.5 && text == "half");
}

class Sum : Job {
	public int last { get; construct; }
	public int n_messages = 0;

	public Sum (int last) {
		Object (last: last, name: "sum", priority: JobPriority.HIGH);
	}

	// The names of logging functions are those of GLib in here, too.
	public override bool run () throws Error {
		int64 sum = 0;

		message ("adding up %d numbers", last);
		n_messages++;
		debug ("the same at another level");
		for (int i = 1; i <= last; i++) {
			check_cancelled ();
			sum += i;
			set_progress ((double) i / last);
		}
		set_status_text ("added");
		return_int64 (sum);
		return true;
	}
}

class Failing : Job {
	public override bool run () throws Error {
		throw new IOError.FAILED ("as planned");
	}
}

async void test_subclass () throws Error {
	var pool = Executor.get_default ();
	var sum = new Sum (100);
	var queued = new Sum (1);
	string? logged = null;

	var handler = Log.set_handler ("Concur", LogLevelFlags.LEVEL_MESSAGE, (domain, level, text) => {
		logged = text;
	});
	assert (sum.name == "sum" && sum.priority == JobPriority.HIGH);
	assert ((yield pool.submit_job (sum).result_as<int64?> ()) == 5050);
	Log.remove_handler ("Concur", handler);
	assert (logged != null && logged.has_suffix ("adding up 100 numbers") && sum.n_messages == 1);
	assert (sum.progress == 1 && sum.status_text == "added");

	assert (queued.cancel ());
	assert (pool.submit_job (queued).state == FutureState.CANCELLED && queued.n_messages == 0);

	try {
		yield pool.submit_job (new Failing ()).result_as<int64?> ();
		assert_not_reached ();
	} catch (IOError.FAILED e) {
		assert (e.message == "as planned");
	}
}

// Code that does not know the job finds it.
void deep_inside (double fraction) throws Error {
	unowned Job? job = Job.get_current ();

	assert (job != null);
	job.check_cancelled ();
	job.set_progress (fraction);
}

void test_current () throws Error {
	var future = Executor.get_default ().submit_as<bool> ((job) => {
		deep_inside (0.25);
		return Job.get_current () == job;
	});

	assert (Job.get_current () == null);
	assert (future.wait_as<bool> () && future.progress == 0.25);
}

// Higher first, while the only thread is busy.
void test_priority () throws Error {
	var pool = one_thread ();
	var gate = new Gate ();
	var order = new AsyncQueue<string> ();
	Future[] all = {};

	all += pool.submit_as<void> ((job) => { gate.pass (); });
	all += pool.submit_as<void> ((job) => { order.push ("default"); });
	var first = new Job ((job) => {
		order.push ("high");
		job.return_value ();
		return true;
	});
	first.priority = JobPriority.HIGH;
	all += pool.submit_job (first);
	gate.open ();
	Future.all (all).wait ();
	assert (order.pop () == "high" && order.pop () == "default");
}

int main (string[] args) {
	Test.init (ref args);
	add_test ("/vala/jobs/submit", test_submit);
	add_test ("/vala/jobs/no-answer", test_no_answer);
	add_async_test ("/vala/jobs/errors", (done) => test_errors.begin (done), (result) => test_errors.end (result));
	add_test ("/vala/jobs/not-yet", test_not_yet);
	add_test ("/vala/jobs/cancel-queued", test_cancel_queued);
	add_async_test ("/vala/jobs/cancel-running", (done) => test_cancel_running.begin (done), (result) => test_cancel_running.end (result));
	add_async_test ("/vala/jobs/cancel-wait", (done) => test_cancel_wait.begin (done), (result) => test_cancel_wait.end (result));
	add_async_test ("/vala/jobs/abandon", (done) => test_abandon.begin (done), (result) => test_abandon.end (result));
	add_async_test ("/vala/jobs/progress", (done) => test_progress.begin (done), (result) => test_progress.end (result));
	add_async_test ("/vala/jobs/subclass", (done) => test_subclass.begin (done), (result) => test_subclass.end (result));
	add_test ("/vala/jobs/current", test_current);
	add_test ("/vala/jobs/priority", test_priority);
	return run_tests ();
}
