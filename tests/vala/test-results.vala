// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Results: every kind of type that a type parameter can be, on its way through a future.

using GLib;
using Concur;

enum Colour {
	RED,
	GREEN
}

[Flags]
enum Option {
	A,
	B,
	C
}

struct Point {
	int x;
	string name;
}

// Not a GObject: it has a reference count and a type of its own.
class Plain {
	public int number;

	public Plain (int number) {
		this.number = number;
		AtomicInt.inc (ref n_alive);
	}

	~Plain () {
		AtomicInt.add (ref n_alive, -1);
	}

	public static int n_alive = 0;
}

async void test_small () throws Error {
	var pool = Executor.get_default ();

	assert ((yield pool.run<int> ((job) => { return -5; })) == -5);
	assert ((yield pool.run<uint> ((job) => { return uint.MAX; })) == uint.MAX);
	assert ((yield pool.run<bool> ((job) => { return true; })) == true);
	assert ((yield pool.run<bool> ((job) => { return false; })) == false);
	assert ((yield pool.run<char> ((job) => { return 'c'; })) == 'c');
	assert ((yield pool.run<uint8> ((job) => { return 200; })) == 200);
	assert ((yield pool.run<int16> ((job) => { return -300; })) == -300);
	assert ((yield pool.run<unichar> ((job) => { return 0x1f600; })) == 0x1f600);
	assert ((yield pool.run<long> ((job) => { return long.MIN; })) == long.MIN);
	assert ((yield pool.run<Colour> ((job) => { return Colour.GREEN; })) == Colour.GREEN);
	assert ((yield pool.run<Option> ((job) => { return Option.A | Option.C; })) == (Option.A | Option.C));
	assert ((yield pool.run<Type> ((job) => { return typeof (Counted); })) == typeof (Counted));
}

async void test_boxed_numbers () throws Error {
	var pool = Executor.get_default ();

	int64? number = yield pool.run<int64?> ((job) => { return int64.MIN; });
	assert (number == int64.MIN);
	uint64? unsigned = yield pool.run<uint64?> ((job) => { return uint64.MAX; });
	assert (unsigned == uint64.MAX);
	double? fraction = yield pool.run<double?> ((job) => { return 0.25; });
	assert (fraction == 0.25);
	float? single = yield pool.run<float?> ((job) => { return 0.5f; });
	assert (single == 0.5f);
	int? small = yield pool.run<int?> ((job) => { return -7; });
	assert (small == -7);
	int16? smaller = yield pool.run<int16?> ((job) => { return -300; });
	assert ((int16) smaller == -300);
	uint8? smallest = yield pool.run<uint8?> ((job) => { return 255; });
	assert ((uint8) smallest == 255);
	bool? truth = yield pool.run<bool?> ((job) => { return true; });
	assert (truth == true);
	size_t? size = yield pool.run<size_t?> ((job) => { return size_t.MAX; });
	assert (size == size_t.MAX);
	Colour? colour = yield pool.run<Colour?> ((job) => { return Colour.GREEN; });
	assert (colour == Colour.GREEN);

	int64? none = yield pool.run<int64?> ((job) => { return null; });
	assert (none == null);
	int? no_int = yield pool.run<int?> ((job) => { return null; });
	assert (no_int == null);
}

async void test_references () throws Error {
	var pool = Executor.get_default ();

	Counted.start ();
	string text = yield pool.run<string> ((job) => { return "text"; });
	assert (text == "text");
	string? no_text = yield pool.run<string?> ((job) => { return null; });
	assert (no_text == null);
	Bytes bytes = yield pool.run<Bytes> ((job) => { return new Bytes ({1, 2, 3}); });
	assert (bytes.length == 3);
	Variant variant = yield pool.run<Variant> ((job) => { return new Variant.int32 (8); });
	assert (variant.get_int32 () == 8 && !variant.is_floating ());
	Counted object = yield pool.run<Counted> ((job) => { return new Counted (9); });
	assert (object.number == 9);
	Object parent = yield pool.run<Object> ((job) => { return new Counted (10); });
	assert (((Counted) parent).number == 10);
	File file = yield pool.run<File> ((job) => { return File.new_for_path ("/"); });
	assert (file.get_path () == "/");
	Plain plain = yield pool.run<Plain> ((job) => { return new Plain (11); });
	assert (plain.number == 11);
	Point? point = yield pool.run<Point?> ((job) => { return Point () { x = 12, name = "p" }; });
	assert (point.x == 12 && point.name == "p");
	Date? date = yield pool.run<Date?> ((job) => { return Date (); });
	assert (!date.valid ());
	Regex regex = yield pool.run<Regex> ((job) => { return new Regex ("^a"); });
	assert (regex.match ("abc"));
	var array = yield pool.run<GenericArray<string>> ((job) => {
		var made = new GenericArray<string> ();
		made.add ("a");
		made.add ("b");
		return made;
	});
	assert (array.length == 2 && array[1] == "b");
	var table = yield pool.run<HashTable<string, int>> ((job) => {
		var made = new HashTable<string, int> (str_hash, str_equal);
		made["a"] = 1;
		return made;
	});
	assert (table["a"] == 1);
	// A class without a GType.
	var queue = yield pool.run<AsyncQueue<string>> ((job) => {
		var made = new AsyncQueue<string> ();
		made.push ("first");
		return made;
	});
	assert (queue.pop () == "first");
	Error problem = yield pool.run<Error> ((job) => { return new IOError.EXISTS ("kept"); });
	assert (problem is IOError.EXISTS && problem.message == "kept");
	Value? value = yield pool.run<Value?> ((job) => { return "inside"; });
	assert (value.get_string () == "inside");
	ParamSpec spec = yield pool.run<ParamSpec> ((job) => {
		return new ParamSpecInt ("size", "size", "size", 0, 9, 1, ParamFlags.READABLE);
	});
	assert (spec.name == "size");
	unowned string literal = yield pool.run<unowned string> ((job) => { return "literal"; });
	assert (literal == "literal");

	object = null;
	parent = null;
	plain = null;
	Counted.settle ();
	while (AtomicInt.get (ref Plain.n_alive) > 0)
		release_pending ();
}

async void test_nothing () throws Error {
	int called = 0;

	yield Executor.get_default ().run<void> ((job) => { AtomicInt.inc (ref called); });
	assert (called == 1);

	try {
		yield Executor.get_default ().run<void> ((job) => { throw new IOError.FAILED ("no"); });
		assert_not_reached ();
	} catch (IOError.FAILED e) {
		assert (e.message == "no");
	}
}

// What Vala answers, C and other languages read, and the other way round.
void test_plain_readers () throws Error {
	var pool = Executor.get_default ();
	var future = pool.submit_as<int64?> ((job) => { return int64.MAX; });

	future.wait ();
	assert (future.get_int64 () == int64.MAX);
	assert (future.result ().get_int64 () == int64.MAX);

	future = pool.submit_as<int> ((job) => { return 3; });
	assert (future.wait ());
	assert (future.get_int64 () == 3 && future.value_as<int> () == 3);
	assert (future.value_as<int64?> () == 3 && future.value_as<double?> () == 3.0);
	assert (future.value_as<Value?> ().get_int () == 3);

	future = pool.submit_as<Counted> ((job) => { return new Counted (4); });
	assert (future.wait ());
	assert (((Counted) future.dup_object ()).number == 4);

	future = pool.submit ((job) => { job.return_int64 (5); return true; });
	assert (future.wait_as<int> () == 5);
	future = pool.submit ((job) => { job.return_string ("s"); return true; });
	assert (future.wait_as<string> () == "s");
	unowned string held = future.value_as<unowned string> ();
	assert (held == "s");
	future = pool.submit ((job) => { job.return_value (2.5); return true; });
	assert (future.wait_as<double?> () == 2.5);
	future = pool.submit ((job) => { job.return_value (); return true; });
	assert (future.wait_as<Counted?> () == null);
	assert (future.value_as<int64?> () == null);
}

void refuse<T> (Future future) {
	try {
		future.wait_as<T> ();
		assert_not_reached ();
	} catch (FutureError.WRONG_TYPE e) {
		assert (e.message != "");
	} catch (Error e) {
		assert_not_reached ();
	}
}

// Nothing is converted silently.
void test_wrong_type () throws Error {
	var pool = Executor.get_default ();

	refuse<string> (pool.submit_as<int> ((job) => { return 1; }));
	refuse<int> (pool.submit_as<string> ((job) => { return "1"; }));
	refuse<int> (pool.submit_as<bool> ((job) => { return true; }));
	refuse<bool> (pool.submit_as<int> ((job) => { return 1; }));
	refuse<int> (pool.submit_as<int64?> ((job) => { return (int64) int.MAX + 1; }));
	refuse<uint> (pool.submit_as<int> ((job) => { return -1; }));
	refuse<uint8> (pool.submit_as<int> ((job) => { return 256; }));
	refuse<int64?> (pool.submit_as<uint64?> ((job) => { return uint64.MAX; }));
	refuse<int64?> (pool.submit_as<double?> ((job) => { return 1.0; }));
	refuse<Colour> (pool.submit_as<Option> ((job) => { return Option.A; }));
	refuse<Counted> (pool.submit_as<Object> ((job) => { return new Object (); }));
	refuse<File> (pool.submit_as<Counted> ((job) => { return new Counted (); }));
	refuse<Plain> (pool.submit_as<Counted> ((job) => { return new Counted (); }));
	refuse<Bytes> (pool.submit_as<Variant> ((job) => { return new Variant.boolean (true); }));
	refuse<int?> (pool.submit_as<string> ((job) => { return "1"; }));
	refuse<AsyncQueue<int>> (pool.submit_as<string> ((job) => { return "1"; }));
	refuse<int> (Future.resolved ());

	// What only Vala knows the size of is for it alone.
	var own = pool.submit_as<int?> ((job) => { return 1; });
	assert (own.wait_as<int?> () == 1);
	refuse<int> (own);
	try {
		own.get_int64 ();
		assert_not_reached ();
	} catch (FutureError.WRONG_TYPE e) {
		assert (own.is_done ());
	}
	Counted.settle ();
}

// A result has as many owners as readers, and goes with the last.
void test_ownership () throws Error {
	Counted.start ();

	Future? future = Executor.get_default ().submit_as<Counted> ((job) => { return new Counted (1); });
	Counted? first = future.wait_as<Counted> ();
	Counted? second = future.value_as<Counted> ();
	assert (first == second && Counted.alive () == 1);
	second = null;
	future = null;
	while (first.ref_count > 1) {
		MainContext.default ().iteration (false);
		release_pending ();
	}
	assert (first.number == 1);
	first = null;
	assert (Counted.alive () == 0);

	// The same with results that are copied.
	future = Executor.get_default ().submit_as<Point?> ((job) => { return Point () { x = 1, name = "copied" }; });
	var one = future.wait_as<Point?> ();
	one.name = "changed";
	assert (future.value_as<Point?> ().name == "copied");
}

int main (string[] args) {
	Test.init (ref args);
	add_async_test ("/vala/results/small", (done) => test_small.begin (done), (result) => test_small.end (result));
	add_async_test ("/vala/results/boxed-numbers", (done) => test_boxed_numbers.begin (done), (result) => test_boxed_numbers.end (result));
	add_async_test ("/vala/results/references", (done) => test_references.begin (done), (result) => test_references.end (result));
	add_async_test ("/vala/results/nothing", (done) => test_nothing.begin (done), (result) => test_nothing.end (result));
	add_test ("/vala/results/plain-readers", test_plain_readers);
	add_test ("/vala/results/wrong-type", test_wrong_type);
	add_test ("/vala/results/ownership", test_ownership);
	return run_tests ();
}
