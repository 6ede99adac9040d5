// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Nothing is leaked and nothing freed twice; what a closure holds lives until the job has
// ended and dies where it was submitted. Sanitizer runs look for what counting cannot see.

using GLib;
using Concur;

const int MANY = 200;

void test_captures () throws Error {
	var pool = new ThreadExecutor (1);
	var gate = new Gate ();
	Future? future = null;

	Counted.start ();
	{
		var held = new Counted (3);
		future = pool.submit_as<int> ((job) => { gate.pass (); return held.number; });
	}
	assert (Counted.alive () == 1);
	gate.open ();
	assert (future.wait_as<int> () == 3);
	// Not on the worker, although that was the last to use it.
	Counted.settle ();
	assert (Counted.died_here () == 1);
}

// By reference: who changes the variable changes it for the job.
void test_by_reference () throws Error {
	var pool = new ThreadExecutor (1);
	var gate = new Gate ();
	string word = "before";
	var future = pool.submit_as<string> ((job) => { gate.pass (); return word; });

	word = "after";
	gate.open ();
	assert (future.wait_as<string> () == "after");
}

// Each turn of a loop has variables of its own only if they are declared in it.
void test_loop_variable () throws Error {
	Future[] futures = {};

	for (int i = 0; i < 5; i++) {
		int number = i;
		futures += Executor.get_default ().submit_as<int> ((job) => { return number; });
	}
	for (int i = 0; i < 5; i++)
		assert (futures[i].wait_as<int> () == i);
}

async void test_results () throws Error {
	Counted.start ();
	for (int i = 0; i < MANY; i++) {
		var argument = new Counted (i);
		var result = yield Executor.get_default ().run<Counted> ((job) => {
			return new Counted (argument.number + 1);
		});
		assert (result.number == i + 1);
	}
}

// Results that nobody fetches, of all kinds that own memory.
void test_unread () throws Error {
	Counted.start ();
	for (int i = 0; i < MANY; i++) {
		var argument = new Counted (i);
		Executor.get_default ().submit_as<Counted> ((job) => { return argument; });
		Executor.get_default ().submit_as<string> ((job) => { return argument.number.to_string (); });
		Executor.get_default ().submit_as<double?> ((job) => { return argument.number; });
		Executor.get_default ().submit_as<int?> ((job) => { return argument.number; });
		Executor.get_default ().submit_as<AsyncQueue<Counted>> ((job) => {
			var queue = new AsyncQueue<Counted> ();
			queue.push (argument);
			return queue;
		});
	}
	Counted.settle ();
}

void test_errors () throws Error {
	Counted.start ();
	for (int i = 0; i < MANY; i++) {
		var argument = new Counted (i);
		try {
			Executor.get_default ().submit_as<Counted> ((job) => {
				var local = new Counted (argument.number);
				throw new IOError.FAILED ("%d", local.number);
			}).wait_as<Counted> ();
			assert_not_reached ();
		} catch (IOError.FAILED e) {
			assert (int.parse (e.message) == i);
		}
	}
	Counted.settle ();
}

// Dropped before they began, while they ran, and after.
void test_cancelled () throws Error {
	Counted.start ();
	for (int i = 0; i < MANY / 10; i++) {
		var pool = new ThreadExecutor (1);
		var gate = new Gate ();
		var begun = new Promise ();
		var argument = new Counted (i);
		var running = pool.submit_as<Counted> ((job) => {
			begun.resolve ();
			gate.pass ();
			return new Counted (argument.number);
		});
		var queued = pool.submit_as<Counted> ((job) => { return argument; });

		begun.get_future ().wait ();
		queued.cancel ();
		running.cancel (i % 2 == 0 ? CancelFlags.ABANDON : CancelFlags.NONE);
		gate.open ();
		pool.shutdown ().wait ();
	}
	Counted.settle ();
}

// The right result for who asks for another type: an error, and nothing lost.
void test_wrong_type () throws Error {
	Counted.start ();
	for (int i = 0; i < MANY; i++) {
		var future = Executor.get_default ().submit_as<Counted> ((job) => { return new Counted (); });
		try {
			future.wait_as<string> ();
			assert_not_reached ();
		} catch (FutureError.WRONG_TYPE e) {
			assert (future.value_as<Object> () is Counted);
		}
	}
	Counted.settle ();
}

async void test_chains () throws Error {
	Counted.start ();
	for (int i = 0; i < MANY; i++) {
		var argument = new Counted (i);
		var result = yield Executor.get_default ()
			.submit_as<Counted> ((job) => { return new Counted (argument.number); })
			.continue_as<Counted> ((job, input) => {
				return new Counted (input.value_as<Counted> ().number + argument.number);
			})
			.continue_as<Counted> ((job, input) => { throw new IOError.FAILED ("on the way"); })
			.recover_as<Counted> ((job, input) => { return argument; })
			.result_as<Counted> ();
		assert (result == argument);
	}
}

async void test_abandoned_waits () throws Error {
	var gate = new Gate ();

	Counted.start ();
	for (int i = 0; i < MANY / 10; i++) {
		var cancellable = new Cancellable ();
		// What is captured is there until the job has ended, so counting cannot be too early.
		var argument = new Counted (i);
		var future = Executor.get_default ().submit_as<Counted> ((job) => {
			gate.pass ();
			return new Counted (argument.number);
		});

		if (i % 2 == 0)
			cancellable.cancel ();
		else
			Idle.add (() => { cancellable.cancel (); return Source.REMOVE; });
		try {
			yield future.result_as<Counted> (cancellable);
			assert_not_reached ();
		} catch (IOError.CANCELLED e) {
			assert (!future.is_done ());
		}
	}
	gate.open ();
}

void test_calls () throws Error {
	var thread = new LoopThread ();
	var gate = new Gate ();

	Counted.start ();
	thread.start ();
	for (int i = 0; i < MANY; i++) {
		var argument = new Counted (i);
		assert (thread.call_as<Counted> ((job) => { return argument; }) == argument);
	}
	// One that comes too late.
	try {
		var argument = new Counted ();
		thread.call_as<Counted> ((job) => { gate.pass (); return argument; }, 1);
		assert_not_reached ();
	} catch (FutureError.TIMED_OUT e) {
		gate.open ();
	}
	thread.stop ();
	Counted.settle ();
}

class Held : Job {
	public Counted held { get; construct; }

	public Held (Counted held) {
		Object (held: held);
	}

	public override bool run () throws Error {
		return_object (held);
		return true;
	}
}

async void test_subclass () throws Error {
	Counted.start ();
	for (int i = 0; i < MANY; i++) {
		var future = Executor.get_default ().submit_job (new Held (new Counted (i)));
		assert ((yield future.result_as<Counted> ()).number == i);
	}
	// And one that nobody submits.
	new Held (new Counted ());
}

// The last result of an asynchronous test is in the callback that ends it, so what is left
// is counted afterwards.
int main (string[] args) {
	Test.init (ref args);
	add_test ("/vala/lifetime/captures", test_captures);
	add_test ("/vala/lifetime/by-reference", test_by_reference);
	add_test ("/vala/lifetime/loop-variable", test_loop_variable);
	add_async_test ("/vala/lifetime/results", (done) => test_results.begin (done), (result) => { test_results.end (result); Counted.settle (); });
	add_test ("/vala/lifetime/unread", test_unread);
	add_test ("/vala/lifetime/errors", test_errors);
	add_test ("/vala/lifetime/cancelled", test_cancelled);
	add_test ("/vala/lifetime/wrong-type", test_wrong_type);
	add_async_test ("/vala/lifetime/chains", (done) => test_chains.begin (done), (result) => { test_chains.end (result); Counted.settle (); });
	add_async_test ("/vala/lifetime/abandoned-waits", (done) => test_abandoned_waits.begin (done), (result) => { test_abandoned_waits.end (result); Counted.settle (); });
	add_test ("/vala/lifetime/calls", test_calls);
	add_async_test ("/vala/lifetime/subclass", (done) => test_subclass.begin (done), (result) => { test_subclass.end (result); Counted.settle (); });
	return run_tests ();
}
