// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Worker processes. The worker is this program, started once more.

using GLib;
using Concur;

// The worker's side.
Variant? answer (WorkerCall call) throws Error {
	Variant arguments = call.get_arguments ();

	switch (call.get_name ()) {
	case "square":
		int64 n = arguments.get_int64 ();
		if (n < 0)
			throw new IOError.INVALID_ARGUMENT ("%lld is negative", n);
		return n * n;
	case "echo":
		return arguments;
	case "count":
		int64 last = arguments.get_int64 ();
		for (int64 i = 0; i < last; i++)
			call.send_item (i);
		return last;
	case "wait":
		call.set_progress (0.5);
		call.set_status_text ("waiting");
		while (!call.is_cancelled ())
			Thread.usleep (1000);
		throw new IOError.CANCELLED ("stopped");
	case "ignore":
		Posix.signal (Posix.Signal.INT, (number) => {});
		call.set_status_text ("ignoring");
		for (;;)
			Posix.pause ();
	case "die":
		Posix.kill (Posix.getpid (), Posix.Signal.KILL);
		return null;
	case "pid":
		return (int64) Posix.getpid ();
	case "strange":
		call.return_failure ("nobody-knows-this-domain", 7, "strange");
		return null;
	default:
		throw new ExecutorError.NOT_FOUND ("There is no function “%s”", call.get_name ());
	}
}

string[] command () {
	try {
		return { FileUtils.read_link ("/proc/self/exe") };
	} catch (FileError e) {
		error ("%s", e.message);
	}
}

async void until_text (Future future, string text) {
	while (future.dup_status_text () != text) {
		Idle.add (until_text.callback);
		yield;
	}
}

async void test_call () throws Error {
	var workers = new ProcessExecutor (command (), 2);

	assert ((yield workers.call ("square", (int64) 12).result_as<Variant> ()).get_int64 () == 144);

	Variant given = new Variant ("(sa{sv})", "text", null);
	assert ((yield workers.call ("echo", given).result_as<Variant> ()).equal (given));
	assert ((yield workers.call ("echo").result_as<Variant> ()).get_type_string () == "()");

	Variant[] many = {};
	for (int64 i = 0; i < 10; i++)
		many += new Variant.variant (i);
	Variant squares = yield workers.map_calls ("square", new Variant.array (VariantType.VARIANT, many), 3)
		.result_as<Variant> ();
	assert (squares.n_children () == 10);
	for (int i = 0; i < 10; i++)
		assert (squares.get_child_value (i).get_variant ().get_int64 () == i * i);
	workers.shutdown ();
}

async void test_errors () throws Error {
	var workers = new ProcessExecutor (command (), 1);

	try {
		yield workers.call ("square", (int64) (-2)).result_as<Variant> ();
		assert_not_reached ();
	} catch (IOError.INVALID_ARGUMENT error) {
		assert (error.message == "-2 is negative");
	}
	try {
		yield workers.call ("nothing").result_as<Variant> ();
		assert_not_reached ();
	} catch (ExecutorError.NOT_FOUND error) {
		assert ("nothing" in error.message);
	}
	try {
		yield workers.call ("strange").result_as<Variant> ();
		assert_not_reached ();
	} catch (IOError.FAILED error) {
		assert (error.message == "nobody-knows-this-domain: strange");
	}
	try {
		yield workers.call ("die").result_as<Variant> ();
		assert_not_reached ();
	} catch (ExecutorError.WORKER_DIED error) {
		assert ("killed by signal 9" in error.message);
	}
	// It cost one call.
	assert ((yield workers.call ("square", (int64) 3).result_as<Variant> ()).get_int64 () == 9);
	workers.shutdown ();
}

async void test_cancel () throws Error {
	var workers = new ProcessExecutor (command (), 1);
	int64 before = (yield workers.call ("pid").result_as<Variant> ()).get_int64 ();
	Future waits = workers.call ("wait");

	yield until_text (waits, "waiting");
	assert (waits.progress == 0.5);
	waits.cancel ();
	try {
		yield waits.result_as<Variant> ();
		assert_not_reached ();
	} catch (IOError.CANCELLED error) {
	}
	assert ((yield workers.call ("pid").result_as<Variant> ()).get_int64 () == before);
	assert (workers.dup_pids ().length == 1 && workers.dup_pids ()[0] == before);
	workers.shutdown ();
}

async void test_time_limit () throws Error {
	var workers = (ProcessExecutor) Object.new (typeof (ProcessExecutor), command: command (),
	                                            max_workers: 1, call_timeout: (int64) 1000,
	                                            grace_period: (int64) 1000);

	try {
		yield workers.call ("ignore").result_as<Variant> ();
		assert_not_reached ();
	} catch (FutureError.TIMED_OUT error) {
	}
	workers.shutdown ();
}

async void test_stream () throws Error {
	var workers = new ProcessExecutor (command (), 1);
	Channel numbers = workers.call_stream ("count", (int64) 100);

	for (int64 i = 0; i < 100; i++)
		assert ((yield numbers.next<Variant> ()).get_int64 () == i);
	assert ((yield numbers.next<Variant> ()) == null);

	// Nobody wants more, and the worker is free again.
	Channel endless = workers.call_stream ("count", int64.MAX, null, 4);
	assert ((yield endless.next<Variant> ()).get_int64 () == 0);
	endless.stop ();
	assert ((yield workers.call ("square", (int64) 4).result_as<Variant> ()).get_int64 () == 16);
	workers.shutdown ();
}

async void test_shutdown () throws Error {
	var workers = new ProcessExecutor (command (), 1);
	Future waits = workers.call ("wait");
	Future queued = workers.call ("pid");

	yield until_text (waits, "waiting");
	Future end = workers.shutdown (ShutdownMode.CANCEL_ALL);
	try {
		yield workers.call ("pid").result_as<Variant> ();
		assert_not_reached ();
	} catch (ExecutorError.SHUT_DOWN error) {
	}
	foreach (Future future in new Future[] { waits, queued }) {
		try {
			yield future.result_as<Variant> ();
			assert_not_reached ();
		} catch (IOError.CANCELLED error) {
		}
	}
	yield end.wait_async ();
	assert (workers.get_n_workers () == 0);
}

int main (string[] args) {
	if (Environment.get_variable ("CONCUR_WORKER_FD") != null) {
		try {
			return worker_run (answer) ? 0 : 1;
		} catch (Error error) {
			return 1;
		}
	}

	Test.init (ref args);
	add_async_test ("/vala/processes/call", (done) => test_call.begin (done), (result) => test_call.end (result));
	add_async_test ("/vala/processes/errors", (done) => test_errors.begin (done), (result) => test_errors.end (result));
	add_async_test ("/vala/processes/cancel", (done) => test_cancel.begin (done), (result) => test_cancel.end (result));
	add_async_test ("/vala/processes/time-limit", (done) => test_time_limit.begin (done), (result) => test_time_limit.end (result));
	add_async_test ("/vala/processes/stream", (done) => test_stream.begin (done), (result) => test_stream.end (result));
	add_async_test ("/vala/processes/shutdown", (done) => test_shutdown.begin (done), (result) => test_shutdown.end (result));
	return run_tests ();
}
