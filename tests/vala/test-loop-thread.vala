// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// The loop thread.

using GLib;
using Concur;

LoopThread started (string? name = null) throws Error {
	var thread = new LoopThread (name);

	thread.start ();
	return thread;
}

void test_start_stop () throws Error {
	var thread = new LoopThread ("life");

	assert (thread.state == LoopState.STOPPED && thread.name == "life");
	thread.stop ();
	thread.start ();
	assert (thread.state == LoopState.RUNNING && !thread.is_current ());
	thread.stop (TimeSpan.MINUTE);
	assert (thread.state == LoopState.STOPPED);
	thread.join ();

	// It can be started again, and refuses work while it does not run.
	try {
		thread.submit_as<int> ((job) => { return 1; }).wait_as<int> ();
		assert_not_reached ();
	} catch (ExecutorError e) {
		assert (e is ExecutorError.SHUT_DOWN || e is ExecutorError.NOT_RUNNING);
	}
	thread.start ();
	assert (thread.call_as<int> ((job) => { return 2; }) == 2);
	thread.stop ();
}

void test_call () throws Error {
	var thread = started ();

	assert (thread.call_as<bool> ((job) => {
		// In the loop: the context is the thread-default one, and calling itself is inline.
		assert (MainContext.get_thread_default () == thread.context);
		return thread.call_as<bool> ((inner) => { return thread.is_current (); });
	}));
	assert (thread.call ((job) => { job.return_int64 (3); return true; }).value_as<int> () == 3);

	try {
		thread.call_as<int> ((job) => { throw new IOError.FAILED ("there"); });
		assert_not_reached ();
	} catch (IOError.FAILED e) {
		assert (e.message == "there");
	}

	var gate = new Gate ();
	try {
		thread.call_as<int> ((job) => { gate.pass (); return 1; }, TimeSpan.MILLISECOND);
		assert_not_reached ();
	} catch (FutureError.TIMED_OUT e) {
		gate.open ();
	}
	thread.stop ();
}

void test_post () throws Error {
	var thread = started ();
	var order = new AsyncQueue<int> ();

	for (int i = 1; i <= 3; i++) {
		int number = i;
		assert (thread.post (() => { order.push (number); }));
	}
	assert (order.pop () == 1 && order.pop () == 2 && order.pop () == 3);
	thread.stop ();
}

// A background task: from each start until the stop that cancels it.
void test_task () throws Error {
	var thread = new LoopThread ();
	var ticks = new AsyncQueue<int> ();
	int n_ended = 0;

	thread.add_task ((job) => {
		int tick = 0;
		var source = new TimeoutSource (1);

		source.set_callback (() => {
			ticks.push (++tick);
			if (!job.is_cancelled ())
				return Source.CONTINUE;
			n_ended++;
			job.return_value ();
			return Source.REMOVE;
		});
		source.attach (MainContext.get_thread_default ());
		job.hold ();
		return true;
	});
	for (int i = 1; i <= 2; i++) {
		thread.start ();
		while (ticks.pop () != 3);
		thread.stop ();
		assert (n_ended == i);
		while (ticks.try_pop () != 0);
	}
}

async int async_in_thread (LoopThread thread) throws Error {
	var pool = Executor.get_default ();
	int number = yield pool.run<int> ((job) => { return 4; });

	assert (thread.is_current ());
	yield Future.delay (TimeSpan.MILLISECOND).wait_async ();
	assert (thread.is_current ());
	return number;
}

// An async method in the loop thread goes on there after each yield.
async void test_async_there () throws Error {
	var thread = started ();
	var result = thread.submit ((job) => {
		async_in_thread.begin (thread, (object, ready) => {
			try {
				job.return_int64 (async_in_thread.end (ready));
			} catch (Error e) {
				job.return_error (e);
			}
		});
		job.hold ();
		return true;
	});

	assert ((yield result.result_as<int> ()) == 4);
	assert (!thread.is_current ());
	yield thread.stop_async ();
	assert (thread.state == LoopState.STOPPED);
}

void test_signals () throws Error {
	var thread = new LoopThread ();
	unowned Thread<void*> here = Thread.self<void*> ();
	string seen = "";

	thread.started.connect (() => { assert (Thread.self<void*> () == here); seen += "started "; });
	thread.stopping.connect (() => { seen += "stopping "; });
	thread.stopped.connect (() => { seen += "stopped"; });
	thread.start ();
	thread.stop ();
	while (seen != "started stopping stopped")
		MainContext.default ().iteration (true);
}

// Another loop over the same context.
class CountingLoop : LoopThread {
	public int n_turns = 0;
	private bool ended = false;

	public CountingLoop () {
		Object (name: "counting", max_workers: 2);
	}

	public override void run_loop () {
		ended = false;
		while (!ended) {
			context.iteration (true);
			n_turns++;
		}
	}

	public override void quit_loop () {
		ended = true;
	}
}

void test_subclass () throws Error {
	var thread = new CountingLoop ();

	assert (thread.max_workers == 2);
	thread.start ();
	assert (thread.call_as<int> ((job) => { return 5; }) == 5);
	// A worker of its own calls back into the loop.
	assert (thread.get_executor ().submit_as<bool> ((job) => {
		return !thread.is_current () && thread.call_as<bool> ((inner) => { return thread.is_current (); });
	}).wait_as<bool> ());
	thread.stop ();
	assert (thread.n_turns > 0);
}

void test_shared () throws Error {
	var thread = LoopThread.dup_default ();

	assert (thread.state == LoopState.RUNNING && thread == LoopThread.dup_default ());
}

void test_would_deadlock () throws Error {
	var thread = started ();

	assert (thread.call_as<bool> ((job) => {
		var here = thread.submit_as<int> ((inner) => { return 1; });
		try {
			here.wait_as<int> ();
			assert_not_reached ();
		} catch (FutureError.WOULD_DEADLOCK e) {
			return !here.wait ();
		}
	}));
	thread.stop ();
}

int main (string[] args) {
	Test.init (ref args);
	add_test ("/vala/loop-thread/start-stop", test_start_stop);
	add_test ("/vala/loop-thread/call", test_call);
	add_test ("/vala/loop-thread/post", test_post);
	add_test ("/vala/loop-thread/task", test_task);
	add_async_test ("/vala/loop-thread/async-there", (done) => test_async_there.begin (done), (result) => test_async_there.end (result));
	add_test ("/vala/loop-thread/signals", test_signals);
	add_test ("/vala/loop-thread/subclass", test_subclass);
	add_test ("/vala/loop-thread/shared", test_shared);
	add_test ("/vala/loop-thread/would-deadlock", test_would_deadlock);
	return run_tests ();
}
