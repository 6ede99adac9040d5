// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// What a class of a program looks like from outside: asynchronous methods over futures,
// called with yield, with begin and end, from loops and from other threads.

using GLib;
using Concur;

// Counts lines; that it uses an executor is nobody's business.
class LineCounter : Object {
	public ThreadExecutor pool { get; construct; }
	public uint n_counted { get; private set; }

	public LineCounter () {
		Object (pool: new ThreadExecutor (2));
	}

	public async int count_async (string text, Cancellable? cancellable = null) throws Error {
		int n_lines = yield pool.run<int> ((job) => {
			int n = 0;
			for (int i = 0; i < text.length; i++) {
				job.check_cancelled ();
				if (text[i] == '\n')
					n++;
			}
			return n;
		}, cancellable);
		n_counted++;
		return n_lines;
	}

	// Several at once, in the order in which they were given.
	public async int[] count_all_async (string[] texts) throws Error {
		Future[] futures = {};
		int[] counts = {};

		foreach (unowned string text in texts) {
			string copy = text;
			futures += pool.submit_as<int> ((job) => { return copy.split ("\n").length - 1; });
		}
		yield Future.all (futures).wait_async ();
		foreach (var future in futures)
			counts += future.value_as<int> ();
		return counts;
	}
}

async void test_method () throws Error {
	var counter = new LineCounter ();

	assert ((yield counter.count_async ("a\nb\n")) == 2);
	assert (counter.n_counted == 1);

	int[] counts = yield counter.count_all_async ({ "x", "\n", "a\nb\nc\n" });
	assert (counts.length == 3 && counts[0] == 0 && counts[1] == 1 && counts[2] == 3);

	var cancellable = new Cancellable ();
	cancellable.cancel ();
	try {
		yield counter.count_async ("a", cancellable);
		assert_not_reached ();
	} catch (IOError.CANCELLED e) {
		assert (counter.n_counted == 1);
	}
}

void test_begin_end () throws Error {
	var counter = new LineCounter ();
	var loop = new MainLoop ();
	Object? source = null;
	int count = -1;

	// Two at once from one thread.
	int n_left = 2;
	for (int i = 0; i < 2; i++)
		counter.count_async.begin ("\n", null, (object, result) => {
			source = object;
			try {
				count = counter.count_async.end (result);
			} catch (Error e) {
				assert_not_reached ();
			}
			if (--n_left == 0)
				loop.quit ();
		});
	loop.run ();
	assert (count == 1 && source == counter && counter.n_counted == 2);
}

// The executor is the source object of run, whoever waits.
void test_source_object () throws Error {
	var pool = new ThreadExecutor (1);
	var loop = new MainLoop ();
	int number = 0;

	pool.run.begin<int> ((job) => { return 5; }, null, (object, result) => {
		assert (object == pool && result is Task);
		try {
			number = pool.run.end<int> (result);
		} catch (Error e) {
			assert_not_reached ();
		}
		loop.quit ();
	});
	loop.run ();
	assert (number == 5);
}

async void hop (MainContext context) throws Error {
	var pool = Executor.get_default ();

	for (int i = 0; i < 3; i++) {
		assert (MainContext.get_thread_default () == context);
		yield pool.run<void> ((job) => { assert (MainContext.get_thread_default () != context); });
	}
	assert (MainContext.get_thread_default () == context);
}

// It goes on in the thread-default context in which it began.
void test_thread_default () throws Error {
	var thread = new Thread<bool> ("loop", () => {
		var context = new MainContext ();
		var loop = new MainLoop (context);
		bool ended = false;

		context.push_thread_default ();
		hop.begin (context, (object, result) => {
			try {
				hop.end (result);
				ended = true;
			} catch (Error e) {
				assert_not_reached ();
			}
			loop.quit ();
		});
		loop.run ();
		context.pop_thread_default ();
		return ended;
	});

	assert (thread.join ());
}

// An asynchronous function of GIO as a future, which threads can wait for.
Future query_size (File file) {
	var promise = new Promise ();

	file.query_info_async.begin ("standard::size", 0, Priority.DEFAULT, null, (object, result) => {
		try {
			promise.resolve (file.query_info_async.end (result).get_size ());
		} catch (Error e) {
			promise.reject (e);
		}
	});
	return promise.get_future ();
}

async void test_wrapped () throws Error {
	int64? size = yield query_size (File.new_for_path ("/proc/self/exe")).result_as<int64?> ();
	assert (size > 0);

	try {
		yield query_size (File.new_for_path ("/no/such/file")).result_as<int64?> ();
		assert_not_reached ();
	} catch (IOError.NOT_FOUND e) {
		assert (e.message != "");
	}
}

// A future may be waited for by many, in several ways at once.
async int wait_for (Future future) throws Error {
	return yield future.result_as<int> ();
}

async void test_many_waiters () throws Error {
	var gate = new Gate ();
	var future = Executor.get_default ().submit_as<int> ((job) => { gate.pass (); return 1; });
	int sum = 0;

	for (int i = 0; i < 10; i++)
		wait_for.begin (future, (object, result) => {
			try {
				sum += wait_for.end (result);
			} catch (Error e) {
				assert_not_reached ();
			}
		});
	var thread = new Thread<int> ("waiter", () => {
		try {
			return future.wait_as<int> ();
		} catch (Error e) {
			assert_not_reached ();
		}
	});
	gate.open ();
	sum += yield future.result_as<int> ();
	sum += thread.join ();
	while (sum < 12)
		MainContext.default ().iteration (true);
	assert (sum == 12);
}

int main (string[] args) {
	Test.init (ref args);
	add_async_test ("/vala/async/method", (done) => test_method.begin (done), (result) => test_method.end (result));
	add_test ("/vala/async/begin-end", test_begin_end);
	add_test ("/vala/async/source-object", test_source_object);
	add_test ("/vala/async/thread-default", test_thread_default);
	add_async_test ("/vala/async/wrapped", (done) => test_wrapped.begin (done), (result) => test_wrapped.end (result));
	add_async_test ("/vala/async/many-waiters", (done) => test_many_waiters.begin (done), (result) => test_many_waiters.end (result));
	return run_tests ();
}
