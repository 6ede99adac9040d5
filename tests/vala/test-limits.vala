// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Limiters, rules for trying again, and batchers.

using GLib;
using Concur;

const int MANY = 50;

// How many are in there at a time, at most.
class Room : Object {
	private int inside = 0;
	private int most = 0;

	public void enter () {
		int n = AtomicInt.add (ref inside, 1) + 1;
		int seen = 0;
		do {
			seen = AtomicInt.get (ref most);
		} while (n > seen && !AtomicInt.compare_and_exchange (ref most, seen, n));
	}

	public void leave () {
		AtomicInt.add (ref inside, -1);
	}

	public int get_most () {
		return AtomicInt.get (ref most);
	}
}

async void test_submit () throws Error {
	var pool = new ThreadExecutor (8);
	var limiter = new Limiter (2);
	var room = new Room ();
	Future[] futures = {};

	Counted.start ();
	{
		var held = new Counted (1);
		for (int i = 0; i < MANY; i++) {
			int number = i;
			futures += limiter.submit_as<int> ((job) => {
				room.enter ();
				Thread.yield ();
				room.leave ();
				return number + held.number;
			}, pool);
		}
		GenericArray<int> results = yield Future.all (futures).results_as<int> ();
		assert (results.length == MANY);
		for (int i = 0; i < MANY; i++)
			assert (results[i] == i + 1);
	}
	futures = null;
	assert (room.get_most () == 1 || room.get_most () == 2);
	Counted.settle ();

	assert ((yield limiter.run<string> ((job) => { return "ran"; })) == "ran");
	try {
		yield limiter.run<void> ((job) => { throw new IOError.BUSY ("no"); });
		assert_not_reached ();
	} catch (IOError.BUSY e) {
		assert (e.message == "no");
	}
}

// What waits for its turn has no thread, and is cancelled at once.
async void test_cancel () throws Error {
	var limiter = new Limiter (1);
	var cancellable = new Cancellable ();
	bool ran = false;

	yield limiter.acquire_async ();
	assert (limiter.available == 0 && limiter.borrowed == 1 && !limiter.try_acquire ());
	cancellable.cancel ();
	try {
		yield limiter.run<void> ((job) => { ran = true; }, null, cancellable);
		assert_not_reached ();
	} catch (IOError.CANCELLED e) {
		assert (!ran);
	}
	limiter.release ();
	assert (limiter.available == 1 && limiter.waiting == 0);
}

async int use_permit (Limiter limiter, Room room, ThreadExecutor pool) throws Error {
	yield limiter.acquire_async ();
	try {
		room.enter ();
		yield pool.run<void> ((job) => { Thread.yield (); });
		room.leave ();
	} finally {
		limiter.release ();
	}
	return 1;
}

async void test_acquire () throws Error {
	var pool = new ThreadExecutor (4);
	var limiter = new Limiter (3);
	var room = new Room ();
	int n_done = 0;

	for (int i = 0; i < MANY; i++)
		use_permit.begin (limiter, room, pool, (object, result) => {
			try {
				n_done += use_permit.end (result);
			} catch (Error e) {
				assert_not_reached ();
			}
		});
	while (n_done < MANY)
		MainContext.default ().iteration (true);
	assert (room.get_most () == 3 && limiter.borrowed == 0);
}

async void test_acquire_cancelled () throws Error {
	var limiter = new Limiter (1);
	var cancellable = new Cancellable ();
	bool cancelled = false;

	limiter.acquire_wait ();
	try {
		limiter.acquire_wait (0);
		assert_not_reached ();
	} catch (FutureError.TIMED_OUT e) {
		assert (limiter.waiting == 0);
	}
	limiter.acquire_async.begin (cancellable, (object, result) => {
		try {
			limiter.acquire_async.end (result);
			assert_not_reached ();
		} catch (IOError.CANCELLED e) {
			cancelled = true;
		} catch (Error e) {
			assert_not_reached ();
		}
	});
	assert (limiter.waiting == 1);
	cancellable.cancel ();
	while (!cancelled)
		MainContext.default ().iteration (true);
	limiter.release ();
	yield limiter.acquire_async ();
	limiter.release ();
}

async void test_retry () throws Error {
	var rule = new Retry (5, 0);
	var here = Thread.self<void*> ();
	uint last = 0;

	Counted.start ();
	{
		var held = new Counted (40);
		int number = yield rule.run_as<int> ((job, attempt) => {
			assert (Thread.self<void*> () != here && Job.get_current () == job);
			job.check_cancelled ();
			last = attempt;
			if (attempt < 3)
				throw new IOError.TIMED_OUT ("attempt %u", attempt);
			return held.number + (int) attempt;
		});
		assert (number == 43 && last == 3);
	}
	Counted.settle ();

	// Without a main loop, and on another executor.
	var pool = new ThreadExecutor (1);
	assert (rule.submit_as<string> ((job, attempt) => {
		if (attempt == 1)
			throw new IOError.FAILED ("once");
		return "blocking";
	}, pool).wait_as<string> () == "blocking");
	yield rule.run_as<void> ((job, attempt) => { last = attempt + 10; }, pool);
	assert (last == 11);
}

async void test_retry_gives_up () throws Error {
	var rule = new Retry (3, 0);
	int n = 0;

	try {
		yield rule.run_as<string> ((job, attempt) => { n++; throw new IOError.BUSY ("%u", attempt); });
		assert_not_reached ();
	} catch (IOError.BUSY e) {
		assert (n == 3 && e.message == "3");
	}

	rule = new Retry (3, 0);
	rule.set_filter ((failed, attempt) => !(failed.get_error () is IOError.NOT_FOUND));
	n = 0;
	try {
		yield rule.run_as<string> ((job, attempt) => { n++; throw new IOError.NOT_FOUND ("gone"); });
		assert_not_reached ();
	} catch (IOError.NOT_FOUND e) {
		assert (n == 1);
	}
}

// Cancelling reaches the attempt, and ends the waiting for the next one.
async void test_retry_cancel () throws Error {
	var cancellable = new Cancellable ();
	var begun = new Promise ();
	var rule = new Retry (3, 0);
	int n = 0;

	var future = rule.submit_as<string> ((job, attempt) => {
		n++;
		begun.resolve ();
		while (true) {
			job.check_cancelled ();
			Thread.yield ();
		}
	}, null, cancellable);
	yield begun.get_future ().wait_async ();
	cancellable.cancel ();
	try {
		yield future.result_as<string> ();
		assert_not_reached ();
	} catch (IOError.CANCELLED e) {
		assert (n == 1);
	}

	begun = new Promise ();
	rule = new Retry (3, TimeSpan.DAY);
	future = rule.submit_as<string> ((job, attempt) => {
		begun.resolve ();
		throw new IOError.FAILED ("in a day");
	});
	yield begun.get_future ().wait_async ();
	future.cancel ();
	try {
		yield future.result_as<string> ();
		assert_not_reached ();
	} catch (IOError.CANCELLED e) {
		assert (future.get_state () == FutureState.CANCELLED);
	}
}

// As C has it: the function begins something, and answers with its future.
async void test_retry_futures () throws Error {
	var rule = new Retry (2, 0);
	var here = Thread.self<void*> ();
	string text = yield rule.run ((attempt) => {
		assert (Thread.self<void*> () == here);
		return Executor.get_default ().submit_as<string> ((job) => {
			if (attempt == 1)
				throw new IOError.FAILED ("first");
			return "second";
		});
	}).result_as<string> ();

	assert (text == "second");
}

async void test_batcher () throws Error {
	int n_batches = 0;
	Future[] futures = {};

	Counted.start ();
	{
		var held = new Counted (100);
		var batcher = new Batcher (10, TimeSpan.DAY, (job) => {
			AtomicInt.inc (ref n_batches);
			for (uint i = 0; i < job.get_n_calls (); i++) {
				string key = job.argument_as<string> (i);
				if (key == "3")
					job.answer_error (i, new IOError.NOT_FOUND ("no %s", key));
				else
					job.answer_as<int> (i, int.parse (key) + held.number);
			}
			return true;
		});
		for (int i = 0; i < 10; i++)
			futures += batcher.call_value<string> (i.to_string ());
		for (int i = 0; i < 10; i++) {
			try {
				assert ((yield futures[i].result_as<int> ()) == i + 100 && i != 3);
			} catch (IOError.NOT_FOUND e) {
				assert (i == 3 && e.message == "no 3");
			}
		}
		assert (n_batches == 1);

		// Less than a batch.
		Future single = batcher.call ("11");
		assert (batcher.waiting == 1);
		batcher.flush ();
		assert ((yield single.result_as<int> ()) == 111);

		single = batcher.call_value<int> (11);
		batcher.flush ();
		try {
			yield single.result_as<int> ();
			assert_not_reached ();
		} catch (FutureError.WRONG_TYPE e) {
			assert (e.message.contains ("gint"));
		}
	}
	futures = null;
	Counted.settle ();
}

// What the calls are given and answered with.
async void test_batcher_objects () throws Error {
	Counted.start ();
	{
		var batcher = new Batcher (MANY, TimeSpan.DAY, (job) => {
			for (uint i = 0; i < job.get_n_calls (); i++) {
				var given = job.argument_as<Counted> (i);
				job.answer_as<Counted> (i, new Counted (given.number * 2));
			}
			return true;
		});
		Future[] futures = {};
		for (int i = 0; i < MANY; i++)
			futures += batcher.call_value<Counted> (new Counted (i));
		GenericArray<Counted> answers = yield Future.all (futures).results_as<Counted> ();
		for (int i = 0; i < MANY; i++)
			assert (answers[i].number == i * 2);
	}
	yield Executor.get_default ().run<void> ((job) => {});
	Counted.settle ();
}

int main (string[] args) {
	Test.init (ref args);
	add_async_test ("/vala/limits/submit", (done) => test_submit.begin (done), (result) => test_submit.end (result));
	add_async_test ("/vala/limits/cancel", (done) => test_cancel.begin (done), (result) => test_cancel.end (result));
	add_async_test ("/vala/limits/acquire", (done) => test_acquire.begin (done), (result) => test_acquire.end (result));
	add_async_test ("/vala/limits/acquire-cancelled", (done) => test_acquire_cancelled.begin (done), (result) => test_acquire_cancelled.end (result));
	add_async_test ("/vala/limits/retry", (done) => test_retry.begin (done), (result) => test_retry.end (result));
	add_async_test ("/vala/limits/retry-gives-up", (done) => test_retry_gives_up.begin (done), (result) => test_retry_gives_up.end (result));
	add_async_test ("/vala/limits/retry-cancel", (done) => test_retry_cancel.begin (done), (result) => test_retry_cancel.end (result));
	add_async_test ("/vala/limits/retry-futures", (done) => test_retry_futures.begin (done), (result) => test_retry_futures.end (result));
	add_async_test ("/vala/limits/batcher", (done) => test_batcher.begin (done), (result) => test_batcher.end (result));
	add_async_test ("/vala/limits/batcher-objects", (done) => test_batcher_objects.begin (done), (result) => test_batcher_objects.end (result));
	return run_tests ();
}
